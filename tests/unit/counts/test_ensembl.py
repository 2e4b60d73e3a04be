"""Ensembl's ids are known from their form."""

import pytest

from ressat.counts.ensembl import is_stable_id, name_space, without_version


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("ENSG00000141736.14", "ENSG00000141736"),
        ("ENSMUSG00000064339.1", "ENSMUSG00000064339"),
        ("ENSG00000141736", "ENSG00000141736"),
        ("ENSG00000002586.20_PAR_Y", "ENSG00000002586_PAR_Y"),
        ("HLA-A.1", "HLA-A.1"),
        ("RP11-34P13.7", "RP11-34P13.7"),
    ],
)
def test_versions_are_cut_from_ids_alone(name, bare):
    assert without_version(name) == bare


def test_a_gene_whose_symbol_begins_like_an_id_is_none():
    assert not is_stable_id("ENSA")


def test_what_most_names_are_is_said():
    assert name_space(["ENSG00000141736", "TP53", "ENSG00000141737.1"]) == "Ensembl ids"
    assert name_space(["TP53", "ENSA"]) == "symbols"
