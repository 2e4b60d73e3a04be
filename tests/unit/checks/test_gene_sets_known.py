"""Gene sets that no section has genes of are refused before anything is computed."""

import pytest

from ressat.base.errors import InputError
from ressat.checks.gene_sets import check_gene_sets

KNOWN = ["CD74", "ERBB2", "KRT19", "KRT8", "ACTB", "GAPDH"]


def test_known_genes_are_counted_by_set():
    assert check_gene_sets({"A": KNOWN[:5], "B": ["CD74", "OTHER"]}, KNOWN) == {"A": 5, "B": 1}


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (
            {"A": ["Cd74", "Erbb2"], "B": ["Krt8"]},
            "none of its 3 genes (Cd74, Erbb2, Krt8 ...) is among the 6 of the sections (CD74, ERBB2, KRT19 "
            "...); expected a set with at least 5 of the sections' genes, named as genes.ids says; "
            "did you mean CD74 for Cd74, ERBB2 for Erbb2, KRT8 for Krt8?",
        ),
        (
            {"A": ["X", "CD74", "ACTB"], "B": ["Y"]},
            "none of its 2 sets has 5 genes that the sections have; A has 2 of 3; expected a set with "
            "at least 5 of the sections' genes, named as genes.ids says; correct signatures, or genes.ids.",
        ),
    ],
)  # fmt: skip
def test_sets_of_other_genes_are_refused_in_one_sentence(sets, said):
    with pytest.raises(InputError) as refused:
        check_gene_sets(sets, KNOWN)
    assert str(refused.value) == said
