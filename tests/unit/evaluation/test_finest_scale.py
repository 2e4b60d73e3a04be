import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from ressat.evaluation.finest_scale import usable_scales, with_finest_scale
from ressat.evaluation.scales import SCALES, STANDARD_DEVIATION
from ressat.stats.neighbours import smoothed
from ressat.stats.significance import CorrelationTest

UNSEEN = "leave one patient out, unseen patients"
WITHIN = "holdout, within-patient replicates"
FOUR = ("A1", "B1", "C1", "D1")
TWINS = ("pearson", "tuned_ridge", "n_effective", "p_value")


def scores(tests: dict[str, dict[int, float]], sections=FOUR, protocol=UNSEEN, **changes) -> pd.DataFrame:
    """Rows of sections (the first letter is the patient) with one p-value by gene and scale."""
    table = pd.DataFrame(
        [
            {
                "protocol": protocol, "fold": "f", "section": section, "patient": section[0], "gene": gene,
                "scale": scale, "scale_um": 100.0 * scale, "pearson": 0.5, "tuned_ridge": 0.4,
                "n_effective": 30.0, "p_value": p,
            } | changes
            for gene, by_scale in tests.items()
            for scale, p in by_scale.items()
            for section in sections
        ]
    )  # fmt: skip
    return table.assign(**{f"{name}_depth_free": table[name] for name in TWINS})


def at(table: pd.DataFrame, scale: int) -> pd.DataFrame:
    return table[table["scale"] == scale].set_index("gene")


def usable_genes(usable: dict[str, bool], protocol=UNSEEN) -> pd.DataFrame:
    return pd.DataFrame({"protocol": protocol, "gene": list(usable), "usable": usable.values(), "claim": "c"})


def test_each_scale_has_the_partial_conjunction_and_one_correction_over_genes():
    table = usable_scales(scores({"a": {2: 1e-6, 4: 1e-5}, "b": {2: 0.01, 4: 0.002}, "c": {2: 0.4, 4: 0.9}}))
    assert table["scale"].tolist() == [2, 2, 2, 4, 4, 4]
    # (4 - 2 + 1) times the second smallest, at most 1.
    assert at(table, 4)["p_value"].tolist() == pytest.approx([3e-5, 0.006, 1])
    assert at(table, 2)["p_value"].tolist() == pytest.approx([3e-6, 0.03, 1])
    np.testing.assert_allclose(at(table, 4)["fdr"], false_discovery_control([3e-5, 0.006, 1]))
    np.testing.assert_allclose(at(table, 2)["fdr"], false_discovery_control([3e-6, 0.03, 1]))
    assert at(table, 2)["usable"].to_dict() == {"a": True, "b": True, "c": False}


def test_a_gene_that_fails_at_the_coarser_scale_is_not_tested_at_the_finer():
    table = usable_scales(scores({"a": {2: 1e-9, 4: 0.02}, "b": {2: 1e-6, 4: 0.01}, "c": {2: 0.9, 4: 0.9}}))
    # 0.02 is 0.06 over patients, 0.01 is 0.03: below 0.05, if not after the correction over genes.
    assert at(table, 4)["tested"].all()
    assert not at(table, 4)["predicted"].any()
    assert at(table, 2)["tested"].to_dict() == {"a": False, "b": True, "c": False}
    assert at(table, 2)["predicted"].to_dict() == {"a": False, "b": True, "c": False}
    # Untested, a gene still counts among those that the others are corrected for.
    assert at(table, 2)["fdr"].tolist() == pytest.approx([1, 9e-6, 1])
    assert at(table, 2)["p_value"]["a"] == pytest.approx(3e-9)


def test_a_gene_counts_by_its_plain_and_by_its_depth_free_test():
    rows = scores({"a": {2: 1e-9, 4: 1e-9}, "b": {2: 1e-9, 4: 1e-9}})
    rows.loc[rows["gene"] == "a", "p_value_depth_free"] = 0.5
    assert usable_scales(rows).groupby("gene")["usable"].any().to_dict() == {"a": False, "b": True}
    rows = scores({"a": {2: 1e-9, 4: 1e-9}})
    rows.loc[rows["scale"] == 4, "tuned_ridge_depth_free"] = 0.6
    table = usable_scales(rows)
    # Each scale has a comparison with the ridge of its own.
    assert table["predicted"].tolist() == [True, True]
    assert table["usable"].tolist() == [True, False]


def test_scores_are_means_over_sections_then_patients_and_the_scale_is_given_in_um():
    tables = [
        scores({"a": {4: 1e-6}}, ["A1"], pearson=0.2, scale_um=400.0),
        scores({"a": {4: 1e-6}}, ["A2"], pearson=0.4, scale_um=402.0),
        scores({"a": {4: 1e-6}}, ["B1"], pearson=0.9, scale_um=800.0),
    ]
    row = usable_scales(pd.concat(tables)).iloc[0]
    assert row["pearson"] == pytest.approx((0.3 + 0.9) / 2)
    assert row["minus_tuned_ridge"] == pytest.approx(0.6 - 0.4)
    assert (row["scale_um_lowest"], row["scale_um_highest"]) == (400.0, 802.0 - 2.0)
    assert row["n_sections_defined"] == 3


def test_a_section_where_the_gene_was_not_predicted_or_is_undefined_counts_against_it():
    whole = scores({"a": {2: 1e-6, 4: 1e-6}, "b": {2: 1e-6, 4: 1e-6}})
    missing = whole[(whole["gene"] == "a") | (whole["section"] == "A1")]
    undefined = whole.copy()
    lost = (whole["gene"] == "b") & (whole["section"] != "A1")
    undefined.loc[lost, [name for name in whole if name.startswith(TWINS)]] = np.nan
    for rows in (missing, undefined):
        table = usable_scales(rows)
        assert at(table, 4)["p_value"].to_dict() == pytest.approx({"a": 3e-6, "b": 1.0})
        assert at(table, 4)["n_sections_defined"].to_dict() == {"a": 4, "b": 1}
        assert at(table, 4)["pearson"]["b"] == pytest.approx(0.5)


def test_a_gene_that_is_defined_nowhere_has_no_score_and_no_scale():
    table = usable_scales(scores({"a": {2: np.nan, 4: np.nan}}, pearson=np.nan, tuned_ridge=np.nan))
    assert table[["pearson", "minus_tuned_ridge_depth_free"]].isna().all(axis=None)
    assert table["fdr"].tolist() == [1, 1]
    assert not table["usable"].any()
    assert np.isnan(with_finest_scale(usable_genes({"a": False}), table)["finest_scale"][0])


def test_one_patient_alone_is_tested_by_its_own_sections():
    table = usable_scales(scores({"a": {4: 0.001}}, ["A1"]))
    assert table["p_value"][0] == pytest.approx(0.001)


def test_protocols_are_kept_apart():
    rows = pd.concat([scores({"a": {4: 1e-6}}), scores({"a": {4: 0.9}}, protocol=WITHIN)])
    table = usable_scales(rows)
    assert table.set_index("protocol")["usable"].to_dict() == {UNSEEN: True, WITHIN: False}
    genes = pd.concat([usable_genes({"a": False}), usable_genes({"a": False}, WITHIN)], ignore_index=True)
    np.testing.assert_array_equal(with_finest_scale(genes, table)["finest_scale"], [4, np.nan])


def test_the_finest_scale_is_the_spot_wherever_a_gene_is_usable_there():
    p = {"spot": {2: 0.5, 4: 0.5}, "two": {2: 1e-6, 4: 1e-6}, "four": {2: 0.5, 4: 1e-6}, "none": {2: 1, 4: 1}}
    before = usable_genes({"spot": True, "two": False, "four": False, "none": False})
    after = with_finest_scale(before, usable_scales(scores(p)))
    np.testing.assert_array_equal(after["finest_scale"], [0, 2, 4, np.nan])
    # What was there stays as it was, and the claim stays last.
    pd.testing.assert_frame_equal(after.drop(columns="finest_scale"), before)
    assert list(after)[-2:] == ["finest_scale", "claim"]


def smooth_noise(coords: np.ndarray, genes: int, rng: np.random.Generator) -> np.ndarray:
    """Maps that are autocorrelated over two pitches, with noise of single spots."""
    return 3 * smoothed(rng.normal(size=(len(coords), genes)), coords, 2.0) + rng.normal(
        size=(len(coords), genes)
    )


def test_false_discoveries_are_below_5_in_100_at_each_scale():
    """Of 40 genes in two patients, 10 are predicted; all maps, predicted ones too, are autocorrelated."""
    rng = np.random.default_rng(4)
    column, row = np.meshgrid(np.arange(15.0), np.arange(15.0))
    coords = np.column_stack([(column + row % 2 / 2).ravel(), (row * 3**0.5 / 2).ravel()])
    genes, real, studies = 40, 10, 25
    plain = CorrelationTest(coords)
    share, discoveries = {scale: [] for scale in SCALES}, dict.fromkeys(SCALES, 0)
    for _ in range(studies):
        rows = []
        for patient in "AB":
            observed, predicted = (smooth_noise(coords, genes, rng) for _ in "xy")
            predicted[:, :real] += 2 * observed[:, :real]
            for scale in SCALES:
                maps = (smoothed(map_, coords, scale * STANDARD_DEVIATION) for map_ in (observed, predicted))
                table = scores({f"{gene:02}": {scale: 1.0} for gene in range(genes)}, [f"{patient}1"])
                p = plain(*maps)[0]
                rows.append(table.assign(p_value=p, p_value_depth_free=p))
        table = usable_scales(pd.concat(rows))
        for scale in SCALES:
            found = at(table, scale)["usable"].to_numpy()
            share[scale].append(found[real:].sum() / max(1, found.sum()))
            discoveries[scale] += found[:real].sum()
    assert all(np.mean(shares) < 0.05 for shares in share.values()), share
    # The test is not idle.
    assert min(discoveries.values()) > studies * real / 2, discoveries
