import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ressat.evaluation.pooling import PooledPearson
from ressat.evaluation.summary import summarise_patients, summarise_sections

PROTOCOL = "leave one patient out, unseen patients"
GENES = [f"g{i}" for i in range(6)]


def rows(section: str, patient: str, level: float, ridge: float, seed: int) -> pd.DataFrame:
    """Scores of six genes around a level; the last is undefined."""
    rng = np.random.default_rng(seed)
    tables = []
    for model, layer, mean in (
        ("ressat", "attended", level), ("baseline", "tuned_ridge", ridge), ("oracle", "observed_depth", 0.5),
    ):  # fmt: skip
        values = mean + 0.05 * rng.normal(size=6)
        values[-1] = np.nan
        table = {
            "protocol": PROTOCOL, "fold": f"without_{patient}", "section": section, "patient": patient,
            "gene": GENES, "model": model, "layer": layer, "n_spots": 100, "observed_mean": 1.0,
            "pearson": values, "spearman": values, "rmse": 0.5, "r2": 0.1,
            "offset": np.nan if model == "oracle" else [-0.5, 0.3, 0.1, 0.1, 0.5, np.nan],
            "pearson_depth_free": values / 2, "spearman_depth_free": values / 2,
            "moran_observed": np.linspace(0, 1, 6), "moran_predicted": np.linspace(1, 0, 6),
            "n_effective": 40.0, "p_value": 0.01, "fdr": [0.01, 0.01, 0.04, 0.2, 0.5, np.nan],
            "ceiling": [0.9, 0.8, np.nan, 0.7, 0.6, np.nan], "ceiling_low": 0.5,
            "fdr_depth_free": [0.01, 0.04, 0.2, 0.2, 0.5, np.nan], "ceiling_depth_free": 0.5,
            "hvg": [True] * 2 + [False] * 4, "heg": [False] * 4 + [True] * 2, "svg": False,
        }  # fmt: skip
        tables.append(pd.DataFrame(table))
    return pd.concat(tables)


def study(levels: dict[str, list[float]]) -> pd.DataFrame:
    """Sections by patient, with their scores; the ridge is always at 0.3."""
    tables = [
        rows(f"{patient}{i}", patient, level, 0.3, seed=10 * ord(patient) + i)
        for patient, sections in levels.items()
        for i, level in enumerate(sections)
    ]
    return pd.concat(tables, ignore_index=True)


TWO = study({"A": [0.6, 0.6, 0.6], "B": [0.2]})


def fold(train: list[str], test: list[str]) -> pd.DataFrame:
    sections = [*train, *test]
    side = ["train"] * len(train) + ["test"] * len(test)
    counts = [1000.0 * (1 + int(name[1])) for name in sections]
    return pd.DataFrame({"section": sections, "side": side, "median_counts": counts})


A = ["A0", "A1", "A2"]
FOLDS = {"without_A": fold(["B0"], A), "without_B": fold(A, ["B0"])}


def folds_of(levels: dict[str, list[float]]) -> dict[str, pd.DataFrame]:
    sections = {patient: [f"{patient}{i}" for i in range(len(values))] for patient, values in levels.items()}
    return {
        f"without_{patient}": fold([n for p, names in sections.items() if p != patient for n in names], test)
        for patient, test in sections.items()
    }


def of(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def test_genes_of_a_section_are_summarised_by_panel():
    per_section = summarise_sections(TWO, FOLDS)
    row = of(per_section, section="A1", layer="attended", panel="all").iloc[0]
    scores = of(TWO, section="A1", layer="attended")["pearson"]
    assert (row["n_genes"], row["n_undefined"], row["n_without_ceiling"]) == (6, 1, 2)
    assert row["mean_pearson"] == pytest.approx(scores.mean())
    assert row["median_pearson"] == pytest.approx(scores.median())
    assert row["q25_pearson"] == pytest.approx(scores.quantile(0.25))
    assert row["q75_pearson"] == pytest.approx(scores.quantile(0.75))
    assert row["share_significant"] == pytest.approx(3 / 5)
    assert row["mean_ceiling"] == pytest.approx(0.75)
    assert row["moran_agreement"] == pytest.approx(-1)
    assert row["trained_on"] == "B0"
    heg = of(per_section, section="A1", layer="attended", panel="heg").iloc[0]
    assert (heg["n_genes"], heg["n_undefined"]) == (2, 1)
    assert heg["mean_pearson"] == pytest.approx(scores.iloc[4])
    assert list(per_section["panel"].unique()) == ["all", "hvg", "heg"]
    assert list(per_section["layer"][:3]) == ["attended", "tuned_ridge", "observed_depth"]


def test_every_score_has_its_twin_and_a_section_its_depth():
    per_section = summarise_sections(TWO, FOLDS)
    row = of(per_section, section="A1", layer="attended", panel="all").iloc[0]
    scores = of(TWO, section="A1", layer="attended")["pearson"]
    assert row["mean_pearson_depth_free"] == pytest.approx(scores.mean() / 2)
    assert row["median_pearson_depth_free"] == pytest.approx(scores.median() / 2)
    assert row["minus_depth_free"] == pytest.approx(scores.mean() / 2)
    assert row["share_significant_depth_free"] == pytest.approx(2 / 5)
    assert row["mean_ceiling_depth_free"] == pytest.approx(0.5)
    assert row["n_undefined_depth_free"] == 1
    assert row["minus_tuned_ridge_depth_free"] == pytest.approx(row["minus_tuned_ridge"] / 2)
    assert (row["median_counts"], row["training_median_counts"]) == (2000, 1000)
    assert of(per_section, section="B0")["training_median_counts"].unique().tolist() == [2000]
    depth = of(TWO, section="A1", layer="observed_depth")["pearson"].dropna()
    assert row["share_following_depth"] == pytest.approx((depth > 0.5).mean())
    summary = summarise_patients(per_section, {})
    whole = of(summary, level="study", layer="attended", panel="all").iloc[0]
    assert whole["mean_pearson_depth_free"] == pytest.approx(whole["mean_pearson"] / 2)
    assert whole["minus_depth_free"] == pytest.approx(whole["mean_pearson"] / 2)


def test_beside_the_ceiling_stands_the_mean_over_the_same_genes():
    scored = TWO.copy()
    lead = (scored["layer"] == "attended") & (scored["section"] == "A1")
    scored.loc[lead, "pearson"] = [0.6, 0.4, 0.0, 0.5, np.nan, np.nan]
    scored.loc[lead, "pearson_depth_free"] = [0.3, np.nan, 0.0, 0.2, 0.1, np.nan]
    scored.loc[lead, "ceiling_depth_free"] = [0.5, 0.9, np.nan, 0.6, np.nan, 0.9]
    row = of(summarise_sections(scored, FOLDS), section="A1", layer="attended", panel="all").iloc[0]
    # Ceilings .9 .8 - .7 .6 -: genes 0, 1 and 3 have both. Over all genes, .375 would stand beside .75.
    assert (row["mean_pearson"], row["mean_ceiling"]) == pytest.approx((0.375, 0.75))
    assert row["n_with_ceiling"] == 3
    assert row["mean_pearson_with_ceiling"] == pytest.approx(0.5)
    assert row["mean_ceiling_with_pearson"] == pytest.approx(0.8)
    assert row["share_of_ceiling"] == pytest.approx(0.5 / 0.8), "no mean of ratios, which would be .627"
    assert row["n_with_ceiling_depth_free"] == 2
    assert row["mean_pearson_with_ceiling_depth_free"] == pytest.approx(0.25)
    assert row["share_of_ceiling_depth_free"] == pytest.approx(0.25 / 0.55)


def test_a_section_without_any_ceiling_is_left_out_of_the_share_and_counted():
    scored = TWO.copy()
    lead = scored["layer"] == "attended"
    scored.loc[lead & (scored["section"] == "A0"), "ceiling"] = np.nan
    scored.loc[lead & (scored["section"] == "A1"), "pearson"] = [0.6, 0.4, 0.0, 0.5, np.nan, np.nan]
    scored.loc[lead & (scored["section"] == "A2"), "pearson"] = [0.2, 0.2, 0.2, 0.2, 0.2, np.nan]
    scored.loc[lead & (scored["section"] == "B0"), "pearson"] = [0.9, 0.9, np.nan, 0.9, np.nan, np.nan]
    per_section = summarise_sections(scored, FOLDS)
    none = of(per_section, section="A0", layer="attended", panel="all").iloc[0]
    assert none["n_with_ceiling"] == 0
    assert np.isnan([none[f"{name}"] for name in ("mean_pearson_with_ceiling", "share_of_ceiling")]).all()
    summary = of(summarise_patients(per_section, {}), layer="attended", panel="all")
    patient = of(summary, patient="A").iloc[0]
    # A1: .5 of .8 over three genes, A2: .2 of .75 over four, A0: none.
    assert (patient["n_sections"], patient["n_sections_with_ceiling"]) == (3, 2)
    assert patient["n_with_ceiling"] == pytest.approx((0 + 3 + 4) / 3)
    assert patient["mean_pearson_with_ceiling"] == pytest.approx(0.35)
    assert patient["share_of_ceiling"] == pytest.approx(0.35 / 0.775)
    whole = of(summary, level="study").iloc[0]
    assert whole["n_sections_with_ceiling"] == 3
    assert whole["n_sections_with_ceiling_depth_free"] == 4
    assert whole["share_of_ceiling"] == pytest.approx((0.35 + 0.9) / (0.775 + 0.8))
    assert (whole["n_genes"], whole["n_undefined"]) == (6, pytest.approx((4 / 3 + 3) / 2))


def test_the_level_is_the_signed_and_the_absolute_mean_of_offsets():
    per_section = summarise_sections(TWO, FOLDS)
    row = of(per_section, section="A1", layer="attended", panel="all").iloc[0]
    # Offsets -.5 .3 .1 .1 .5 -: errors of single genes cancel in the signed mean.
    assert row["mean_offset"] == pytest.approx(0.1)
    assert row["mean_absolute_offset"] == pytest.approx(0.3)
    assert (row["n_with_offset"], row["n_with_r2"]) == (5, 6)
    oracle = of(per_section, section="A1", layer="observed_depth", panel="all").iloc[0]
    assert oracle["n_with_offset"] == 0
    assert np.isnan(oracle["mean_offset"])
    whole = of(summarise_patients(per_section, {}), level="study", layer="attended", panel="all").iloc[0]
    assert (whole["mean_offset"], whole["mean_absolute_offset"]) == pytest.approx((0.1, 0.3))


def test_sections_far_from_training_in_depth_are_counted():
    per_section = summarise_sections(TWO, FOLDS)
    # Medians: A0 1000, A1 2000, A2 3000, each a fold with B0 of 1000; B0 from all of A.
    rows = of(per_section, layer="attended", panel="all").set_index("section")
    assert rows["times_training_range"].to_dict() == {"A0": 1, "A1": 2, "A2": 3, "B0": 1}
    assert rows["far_from_training"].to_dict() == {"A0": False, "A1": False, "A2": True, "B0": False}
    assert rows.loc["B0", ["training_lowest_counts", "training_highest_counts"]].tolist() == [1000, 3000]
    summary = of(summarise_patients(per_section, {}), layer="attended", panel="all")
    assert of(summary, level="study")["n_sections_far"].tolist() == [1]
    assert of(summary, level="patient").set_index("patient")["n_sections_far"].to_dict() == {"A": 1, "B": 0}


def test_the_difference_to_the_tuned_ridge_is_taken_gene_by_gene():
    per_section = summarise_sections(TWO, FOLDS)
    difference = (
        of(TWO, section="B0", layer="attended")["pearson"].to_numpy()
        - of(TWO, section="B0", layer="tuned_ridge")["pearson"].to_numpy()
    )
    row = of(per_section, section="B0", layer="attended", panel="all").iloc[0]
    assert row["minus_tuned_ridge"] == pytest.approx(np.nanmean(difference))
    assert (of(per_section, layer="tuned_ridge")["minus_tuned_ridge"] == 0).all()


def test_a_study_is_the_mean_of_patients_and_a_patient_of_sections():
    per_section = summarise_sections(TWO, FOLDS)
    summary = summarise_patients(per_section, {(PROTOCOL, "ressat", "attended"): 0.77})
    sections = of(per_section, layer="attended", panel="all").set_index("section")["mean_pearson"]
    patients = of(summary, level="patient", layer="attended", panel="all").set_index("patient")
    assert patients.loc["A", "mean_pearson"] == pytest.approx(sections[["A0", "A1", "A2"]].mean())
    assert patients.loc["A", "n_sections"] == 3
    whole = of(summary, level="study", layer="attended", panel="all").iloc[0]
    assert whole["mean_pearson"] == pytest.approx((patients.loc["A"] + patients.loc["B"])["mean_pearson"] / 2)
    assert (whole["n_patients"], whole["n_sections"]) == (2, 4)
    assert whole["lowest_patient"] == pytest.approx(sections["B0"])
    assert whole["pooled_pearson"] == 0.77


def test_two_patients_have_no_interval():
    summary = summarise_patients(summarise_sections(TWO, FOLDS), {})
    assert summary["minus_tuned_ridge_low"].isna().all()
    assert of(summary, level="patient")["minus_tuned_ridge"].notna().all()


def test_five_patients_have_students_interval():
    levels = {"A": [0.5], "B": [0.4], "C": [0.45, 0.35], "D": [0.3], "E": [0.6]}
    summary = summarise_patients(summarise_sections(study(levels), folds_of(levels)), {})
    differences = of(summary, level="patient", layer="attended", panel="all")["minus_tuned_ridge"]
    row = of(summary, level="study", layer="attended", panel="all").iloc[0]
    half = stats.t.ppf(0.975, 4) * differences.std() / np.sqrt(5)
    assert row["minus_tuned_ridge_low"] == pytest.approx(differences.mean() - half)
    assert row["minus_tuned_ridge_high"] == pytest.approx(differences.mean() + half)


def test_pooling_over_spots_is_that_of_all_sections_at_once():
    rng = np.random.default_rng(0)
    pooled, sections = PooledPearson(), []
    for level in (0.0, 5.0):
        observed = level + rng.normal(size=(80, 2))
        predicted = level + rng.normal(size=(80, 2))
        predicted[:, 1] = 1.0
        pooled.add("attended", pd.Index(["a", "b"]), observed, predicted)
        sections.append((observed[:, 0], predicted[:, 0]))
    x, y = (np.concatenate(side) for side in zip(*sections, strict=True))
    # Gene b is constant; what differs between sections makes up for what does not agree within them.
    assert pooled.means() == {"attended": pytest.approx(np.corrcoef(x, y)[0, 1])}
    assert pooled.means()["attended"] > 0.8


def test_sections_without_a_gene_are_left_out_of_its_pool():
    rng = np.random.default_rng(1)
    observed, predicted = rng.normal(size=(2, 50, 2))
    pooled = PooledPearson()
    pooled.add("k", pd.Index(["a", "b"]), observed, predicted)
    pooled.add("k", pd.Index(["a", "c"]), np.full((50, 2), np.nan), predicted)
    expected = [np.corrcoef(observed[:, i], predicted[:, i])[0, 1] for i in (0, 1)]
    assert pooled.means()["k"] == pytest.approx(np.mean(expected))
