import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from ressat.evaluation.usable_genes import partial_conjunction, usable_genes

UNSEEN = "leave one patient out, unseen patients"
WITHIN = "holdout, within-patient replicates"


def scores(
    tests: dict[str, dict[str, tuple[float, float]]], protocol: str = UNSEEN, **changes: float
) -> pd.DataFrame:
    """Rows of model and ridge from p-value and r by gene, section (its first letter is the patient)."""
    tables = []
    for gene, sections in tests.items():
        for section, (p, r) in sections.items():
            row = {
                "protocol": protocol, "fold": f"without_{section[0]}", "section": section,
                "patient": section[0], "gene": gene, "observed_mean": 1.0, "ceiling": 0.8, "ceiling_low": 0.6,
            } | changes  # fmt: skip
            tables.append(row | {"model": "ressat", "layer": "attended", "pearson": r, "p_value": p})
            tables.append(row | {"model": "ressat", "layer": "direct", "pearson": -1.0, "p_value": np.nan})
            tables.append(row | {"model": "baseline", "layer": "tuned_ridge", "pearson": 0.3, "p_value": p})
    table = pd.DataFrame(tables)
    return table.assign(**{f"{name}_depth_free": table[name] for name in TWINS if name in table})


TWINS = ("pearson", "p_value", "ceiling", "ceiling_low")


FOUR = ("A1", "B1", "C1", "D1")


def test_a_gene_that_most_patients_show_is_usable():
    good = dict(zip(FOUR, [(1e-6, 0.5), (1e-6, 0.5), (1e-6, 0.5), (0.6, 0.0)], strict=True))
    bad = dict(zip(FOUR, [(1e-9, 0.9), (0.3, 0.4), (0.6, 0.3), (0.6, 0.0)], strict=True))
    table = usable_genes(scores({"bad": bad, "good": good}), "attended", 0.3).set_index("gene")
    assert table["usable"].to_dict() == {"good": True, "bad": False}
    assert table.loc["good", "p_value"] == pytest.approx(3e-6)  # (4 - 2 + 1) times the second smallest
    assert table.loc["bad", "p_value"] == pytest.approx(0.9)
    np.testing.assert_allclose(table["fdr"], false_discovery_control(table["p_value"]))
    assert table.loc["good", "claim"] == "predicted in at least 2 of 4 tested patients"
    assert table.loc["bad", "claim"] == "no claim"


def test_a_gene_that_is_usable_through_depth_alone_is_not_usable():
    table = scores({name: dict.fromkeys(FOUR, (1e-6, 0.5)) for name in ("both", "depth", "rest")})
    lead = table["layer"] == "attended"
    table.loc[lead & (table["gene"] == "depth"), ["p_value_depth_free", "pearson_depth_free"]] = 0.4, 0.1
    table.loc[lead & (table["gene"] == "rest"), ["p_value", "pearson"]] = 0.4, 0.1
    rated = usable_genes(table, "attended", 0.3).set_index("gene")
    assert rated["usable"].to_dict() == {"both": True, "depth": False, "rest": False}
    assert rated["only_through_depth"].to_dict() == {"both": False, "depth": True, "rest": False}
    assert rated["only_depth_free"].to_dict() == {"both": False, "depth": False, "rest": True}
    assert rated.loc["depth", ["pearson", "pearson_depth_free"]].tolist() == pytest.approx([0.5, 0.1])
    assert rated.loc["depth", "minus_tuned_ridge_depth_free"] == pytest.approx(-0.2)
    assert rated.loc["depth", "claim"] == (
        "predicted in at least 2 of 4 tested patients, but not beyond sequencing depth"
    )


def test_half_of_a_patients_sections_must_show_it_too():
    p = {"A1": (1e-9, 0.5), "A2": (0.02, 0.5), "A3": (0.9, 0.5)}
    table = usable_genes(scores({"g": p}), "attended", 0.3)
    assert table["p_value"][0] == pytest.approx(2 * 0.02)
    assert table["n_patients"][0] == 1


def test_a_section_where_the_gene_was_not_predicted_or_is_undefined_counts_against_it():
    missing = {"A1": (1e-6, 0.5), "B1": (1e-6, 0.5)}
    undefined = dict(
        zip(FOUR, [(1e-6, 0.5), (np.nan, np.nan), (np.nan, np.nan), (np.nan, np.nan)], strict=True)
    )
    everywhere = dict.fromkeys(FOUR, (1e-6, 0.5))
    table = usable_genes(scores({"m": missing, "u": undefined, "e": everywhere}), "attended", 0.3).set_index(
        "gene"
    )
    assert table["n_patients_defined"].to_dict() == {"m": 2, "u": 1, "e": 4}
    assert table.loc["m", "p_value"] == pytest.approx(3e-6)
    assert table.loc["u", "p_value"] == 1.0


def test_a_gene_that_the_tuned_ridge_predicts_as_well_is_not_usable():
    table = usable_genes(scores({"g": dict.fromkeys(FOUR, (1e-9, 0.3))}), "attended", 0.3)
    assert table["predicted"].all()
    assert not table["beats_tuned_ridge"].any()
    assert not table["usable"].any()


@pytest.mark.parametrize("ceiling_low", [0.2, np.nan])
def test_a_gene_without_a_ceiling_worth_predicting_is_not_usable(ceiling_low):
    table = usable_genes(
        scores({"g": dict.fromkeys(FOUR, (1e-9, 0.6))}, ceiling_low=ceiling_low), "attended", 0.3
    )
    assert not table["worth_predicting"].any()
    assert not table["usable"].any()
    assert table["share_of_ceiling"][0] == pytest.approx(0.6 / 0.8)


def test_the_share_of_the_ceiling_is_over_the_sections_that_have_one():
    shallow = scores({"g": {"A1": (1e-6, 0.2)}}, ceiling=np.nan)
    deep = scores({"g": {"B1": (1e-6, 0.6)}})
    table = usable_genes(pd.concat([shallow, deep]), "attended", 0.3)
    assert table["pearson"][0] == pytest.approx(0.4)
    assert table["share_of_ceiling"][0] == pytest.approx(0.6 / 0.8)


def test_beside_the_ceiling_of_a_gene_stands_its_score_in_the_same_sections():
    tables = [
        scores({"g": {"A1": (1e-6, 0.2)}}, ceiling=np.nan),
        scores({"g": {"A2": (1e-6, 0.4)}}, ceiling=0.9),
        scores({"g": {"B1": (1e-6, 0.6), "B2": (1.0, np.nan)}}, ceiling=0.7),
        scores({"none": {"A1": (1e-6, 0.5)}}, ceiling=np.nan),
    ]
    table = usable_genes(pd.concat(tables), "attended", 0.3).set_index("gene")
    for end in ("", "_depth_free"):
        row = table.loc["g"]
        assert row[f"pearson{end}"] == pytest.approx(((0.2 + 0.4) / 2 + 0.6) / 2)
        assert row[f"n_sections_with_ceiling{end}"] == 2
        assert row[f"pearson_with_ceiling{end}"] == pytest.approx((0.4 + 0.6) / 2)
        assert row[f"ceiling{end}"] == pytest.approx((0.9 + 0.7) / 2)
        assert table.loc["none", f"n_sections_with_ceiling{end}"] == 0
        assert np.isnan(table.loc["none", f"pearson_with_ceiling{end}"])


def test_patients_are_averaged_before_the_study():
    p = {"A1": (1e-6, 0.2), "A2": (1e-6, 0.4), "B1": (1e-6, 0.9)}
    assert usable_genes(scores({"g": p}), "attended", 0.3)["pearson"][0] == pytest.approx((0.3 + 0.9) / 2)


def test_with_fewer_than_three_patients_the_table_says_what_it_cannot_claim():
    table = usable_genes(scores({"g": dict.fromkeys(FOUR[:2], (1e-6, 0.5))}), "attended", 0.3)
    assert table["claim"][0] == (
        "predicted in at least 1 of 2 tested patients; too few patients to claim anything of others"
    )
    within = usable_genes(scores({"g": dict.fromkeys(FOUR, (1e-6, 0.5))}, WITHIN), "attended", 0.3)
    assert within["claim"][0] == (
        "predicted in at least 2 of 4 tested patients; tested on other sections of the same patients, "
        "nothing is claimed of any other patient"
    )
    nothing = usable_genes(scores({"g": dict.fromkeys(FOUR[:2], (0.9, 0.5))}), "attended", 0.3)
    assert nothing["claim"][0] == "no claim; too few patients to claim anything of others"


def test_protocols_are_kept_apart():
    tables = [scores({"g": {"A1": (1e-6, 0.5)}}), scores({"g": {"B1": (0.9, 0.1)}}, WITHIN)]
    table = usable_genes(pd.concat(tables), "attended", 0.3)
    assert table.set_index("protocol")["predicted"].to_dict() == {UNSEEN: True, WITHIN: False}


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8])
def test_the_partial_conjunction_keeps_its_level_where_fewer_than_half_hold(number):
    """One fewer than required are as clear as can be, the others null."""
    rng = np.random.default_rng(number)
    p = rng.uniform(size=(number, 20_000))
    p[: -(-number // 2) - 1] = 0
    assert (partial_conjunction(p) < 0.05).mean() <= 0.055
