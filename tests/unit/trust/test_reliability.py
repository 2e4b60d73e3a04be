"""What a study's tests say of a model's genes, by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from saved_model import small_bundle, small_reliability

from ressat.evaluation.usable_genes import usable_genes
from ressat.model.reliability import GENE_COLUMNS
from ressat.trust.model_card import model_card
from ressat.trust.reliability import ON_NO_PANEL, measured_reliability, study_scores

UNSEEN, WITHIN = "holdout, unseen patients", "holdout, within-patient replicates"
# Of the model in each section, by gene: p-value, plain and depth-free r. A1 and A2 are of patient A.
GENES = {
    "GOOD": {"A1": (1e-9, 0.6, 0.5), "A2": (1e-9, 0.4, 0.3), "B1": (1e-9, 0.7, 0.6)},
    "RIDGE": {"A1": (1e-9, 0.2, 0.2), "A2": (1e-9, 0.2, 0.2), "B1": (1e-9, 0.2, 0.2)},
    "NOISE": {"A1": (0.9, 0.5, 0.5), "A2": (0.9, 0.5, 0.5), "B1": (0.9, 0.5, 0.5)},
    "FLAT": {"A1": (np.nan, np.nan, np.nan), "A2": (np.nan,) * 3, "B1": (np.nan,) * 3},
}


def per_gene(protocol: str = UNSEEN, genes: dict = GENES) -> pd.DataFrame:
    """Scores of the headline layer and of a tuned ridge whose r is 0.3."""
    rows = []
    for gene, sections in genes.items():
        for section, (p, plain, depth_free) in sections.items():
            row = {
                "protocol": protocol, "fold": "f", "section": section, "patient": section[0], "gene": gene,
                "observed_mean": 1.0, "ceiling": 0.8, "ceiling_low": 0.6, "ceiling_depth_free": 0.7,
                "ceiling_low_depth_free": 0.5, "p_value": p, "p_value_depth_free": p,
            }  # fmt: skip
            for model, layer, scores in (
                ("ressat", "combined", (plain, depth_free)),
                ("baseline", "tuned_ridge", (0.3, 0.2)),
            ):
                twins = dict(zip(("pearson", "pearson_depth_free"), scores, strict=True))
                rows.append(row | twins | {"model": model, "layer": layer})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def known():
    scores = per_gene()
    return measured_reliability(usable_genes(scores, "combined", 0.3), scores, [*GENES, "OTHER"], "combined")


def of(known, gene: str) -> dict:
    place = [*GENES, "OTHER"].index(gene)
    return {name: values[place] for name, values in known.genes.items()}


def test_a_gene_has_the_scores_of_the_table_and_of_each_patient(known):
    assert (known.source, known.protocol, known.layer) == ("tested", UNSEEN, "combined")
    assert known.patients == ["A", "B"]
    # Sections of a patient first.
    assert known.by_patient["A"][0] == pytest.approx(0.5)
    assert known.by_patient["B"][0] == pytest.approx(0.7)
    good = of(known, "GOOD")
    assert list(good) == list(GENE_COLUMNS)
    assert good["pearson"] == pytest.approx(0.6)
    assert good["pearson_depth_free"] == pytest.approx(0.5)
    assert (good["tuned_ridge"], good["ceiling"], good["n_patients"]) == (0.3, 0.8, 2)
    assert (good["verdict"], good["reason"]) == ("usable", "")


@pytest.mark.parametrize(
    ("gene", "verdict", "said"),
    [
        (
            "RIDGE",
            "not usable",
            "not better than the tuned ridge; not better than the tuned ridge depth-free",
        ),
        ("NOISE", "not usable", "not predicted (FDR 1); not predicted depth-free (FDR 1)"),
        ("FLAT", "not usable", "no correlation is defined"),
        ("OTHER", "not tested", ON_NO_PANEL),
    ],
)
def test_a_gene_that_is_not_usable_says_why(known, gene, verdict, said):
    row = of(known, gene)
    assert (row["verdict"], row["reason"]) == (verdict, said)


def test_a_gene_that_passes_through_depth_alone_says_so():
    genes = GENES | {"DEPTH": dict.fromkeys(("A1", "A2", "B1"), (1e-9, 0.6, 0.1))}
    scores = per_gene(genes=genes)
    known = measured_reliability(usable_genes(scores, "combined", 0.3), scores, ["DEPTH"], "combined")
    assert known.genes["reason"] == ["it passes through sequencing depth alone"]


def test_genes_that_were_not_tested_are_undefined(known):
    other = of(known, "OTHER")
    assert other["n_patients"] == 0
    assert all(np.isnan(other[name]) for name in ("pearson", "tuned_ridge", "ceiling", "fdr"))
    assert all(np.isnan(scores[-1]) for scores in known.by_patient.values())


@pytest.mark.parametrize("order", [(WITHIN, UNSEEN), (UNSEEN, WITHIN)])
def test_unseen_patients_count_before_replicates(order):
    scores = pd.concat([per_gene(protocol) for protocol in order], ignore_index=True)
    table = usable_genes(scores, "combined", 0.3)
    assert measured_reliability(table, scores, list(GENES), "combined").protocol == UNSEEN
    only = per_gene(WITHIN)
    assert (
        measured_reliability(usable_genes(only, "combined", 0.3), only, ["GOOD"], "combined").protocol
        == WITHIN
    )


def test_the_scores_of_the_study_have_their_number_of_genes():
    summary = pd.DataFrame(
        [
            (UNSEEN, "ressat", "combined", "all", "study", 0.31, 0.21, 250, 3, 5),
            (UNSEEN, "baseline", "tuned_ridge", "all", "study", 0.28, 0.19, 250, 0, 1),
            (UNSEEN, "ressat", "combined", "all", "patient", 0.5, 0.5, 250, 0, 0),
            (UNSEEN, "ressat", "combined", "hvg", "study", 0.6, 0.6, 50, 0, 0),
            (WITHIN, "ressat", "combined", "all", "study", 0.7, 0.7, 250, 0, 0),
        ],
        columns=[
            "protocol", "model", "layer", "panel", "level", "mean_pearson", "mean_pearson_depth_free",
            "n_genes", "n_undefined", "n_undefined_depth_free",
        ],
    )  # fmt: skip
    model, ridge = study_scores(summary, UNSEEN, "combined")
    assert (model["mean_pearson"], model["mean_pearson_depth_free"]) == (0.31, 0.21)
    assert (model["n_genes"], model["n_genes_depth_free"]) == (247, 245)
    assert (ridge["mean_pearson"], ridge["n_genes"]) == (0.28, 250)


def test_what_stands_beside_the_ceiling_is_over_the_same_sections():
    scores = per_gene()
    scores.loc[scores["section"] == "B1", ["ceiling", "ceiling_depth_free"]] = np.nan
    known = measured_reliability(usable_genes(scores, "combined", 0.3), scores, ["GOOD"], "combined")
    # Patient B has no ceiling: A alone counts, with r .5.
    assert known.genes["pearson"] == [pytest.approx(0.6)]
    assert known.genes["pearson_with_ceiling"] == [pytest.approx(0.5)]
    assert known.genes["ceiling_depth_free"] == [pytest.approx(0.7)]


SCORES = [
    {
        "words": "this kind of model", "mean_pearson": 0.31, "mean_pearson_depth_free": 0.21, "n_genes": 6,
        "n_genes_depth_free": 5.5,
    }
]  # fmt: skip


def card_of(bundle, scores=SCORES, *, is_itself_tested=False) -> str:
    return model_card(bundle, ENCODERS, scores, is_itself_tested=is_itself_tested)


ENCODERS = {
    "uni": {"title": "UNI", "licence": "CC-BY-NC-ND-4.0", "page": "https://hub/UNI"},
    "other": {"title": "Other", "licence": "MIT", "page": "https://hub/other"},
}


def test_the_card_says_what_holds_and_what_does_not():
    bundle = small_bundle()
    card = card_of(bundle)
    header = card.split("---")[1]
    assert "license: other" in header
    for words in (
        "6 genes", "6 of 6 genes are usable", "| this kind of model | 0.310 (6) | 0.210 (5.5) |",
        "| A | P1 |", "UNI: CC-BY-NC-ND-4.0, https://hub/UNI", "tiles of 112 um, 224 px", "(P1, P2)",
        "too few patients to claim anything of others", "not for diagnosis", "cd" * 32, "tested on none",
    ):  # fmt: skip
        assert words.lower() in card.lower(), words


def test_the_card_claims_of_new_patients_what_the_tests_allow():
    three = {"patients": ["P1", "P2", "P3"], "by_patient": dict.fromkeys(("P1", "P2", "P3"), [0.4] * 6)}
    bundle = replace(small_bundle(), reliability=small_reliability(**three))
    assert "lowest of them with a probability of 0.75" in card_of(bundle)
    within = replace(bundle, reliability=small_reliability(**three, protocol=WITHIN))
    assert "probability" not in card_of(within)
    assert "nothing is claimed of any other patient" in card_of(within)
    assert "is the same" in card_of(bundle, is_itself_tested=True)


def test_the_card_has_the_licences_of_what_the_model_reads():
    bundle = small_bundle()
    assert "UNI: CC" in card_of(bundle)
    assert "Other" not in card_of(bundle)
    inputs = replace(bundle.trained.head.inputs, layers=("other.layer3",))
    trained = replace(bundle.trained, head=replace(bundle.trained.head, inputs=inputs))
    assert "Other: MIT" in card_of(replace(bundle, trained=trained))


def test_the_card_of_an_untested_model_leads_nobody_on():
    nobody = {"patients": [], "by_patient": {}}
    untested = small_reliability(source="held back", protocol="pieces held back in turn (P1)", **nobody)
    genes = untested.genes | {"verdict": ["not tested"] * 6}
    card = card_of(replace(small_bundle(), reliability=replace(untested, genes=genes)), [])
    assert "No section was tested" in card
    assert "What holds for other patients is not known." in card
    assert "usable (" not in card
    assert "probability" not in card


def test_the_card_says_that_weights_are_random():
    bundle = small_bundle()
    assert "The encoder has random weights" in card_of(bundle)
    bundle.provenance["encoder"] = "resnet50"
    assert "random" not in card_of(bundle)


def test_names_do_not_break_the_card():
    bundle = small_bundle()
    bundle.provenance["patients"]["A"] = "P|1"
    assert "| A | P\\|1 |" in card_of(bundle)
