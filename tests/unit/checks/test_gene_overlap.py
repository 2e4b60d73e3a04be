"""A section's genes are those of the study, or the two sections that differ are named."""

import re

import pytest

from ressat.base.errors import InputError, about
from ressat.checks.gene_overlap import Genes, check_gene_names, check_listed_genes

SYMBOLS = [f"GENE{i}" for i in range(50)]
OTHERS = [f"Gene{i}" for i in range(50)]


def genes(section: str, names: list[str]) -> Genes:
    return Genes(section, names)


def test_sections_of_one_study_share_their_genes():
    assert check_gene_names(genes("B1", SYMBOLS[10:]), genes("A1", SYMBOLS)) == 40


def test_a_small_panel_beside_a_whole_transcriptome_is_fine():
    assert check_gene_names(genes("B1", SYMBOLS[:5]), genes("A1", SYMBOLS)) == 5


def test_other_genes_are_refused_and_both_sections_named():
    with (
        pytest.raises(InputError, match="section B1: B1/outs: ") as caught,
        about(section="B1", file="B1/outs"),
    ):
        check_gene_names(genes("B1", OTHERS), genes("A1", SYMBOLS))
    assert "of its 50 genes (Gene0, Gene1, Gene2 ...), 0 are among the 50 of section A1 (GENE0, " in str(
        caught.value
    )
    assert "the same species" in caught.value.action
    assert "upper and lower case" in caught.value.action


def test_a_few_names_in_common_are_not_enough():
    with pytest.raises(InputError, match="2 are among") as caught:
        check_gene_names(genes("B1", [f"x{i}" for i in range(48)] + SYMBOLS[:2]), genes("A1", SYMBOLS))
    assert "the same species" in caught.value.action


def test_listed_genes_must_be_in_a_section_to_learn_from():
    check_listed_genes(genes("A1", SYMBOLS), SYMBOLS[:3], "genes.txt")
    message = "2 of the 3 genes of genes.txt (TP53, EGFR) are not among its 50 (GENE0, GENE1, GENE2 ...)"
    with (
        pytest.raises(InputError, match="section A1: .*" + re.escape(message)),
        about(section="A1", file="A1/outs"),
    ):
        check_listed_genes(genes("A1", SYMBOLS), ["TP53", "GENE4", "EGFR"], "genes.txt")


def test_names_are_read_one_per_line(tmp_path):
    (tmp_path / "A1.genes.txt").write_text("TP53\nACTB\n\n")
    assert Genes.read("A1", tmp_path / "A1.genes.txt") == genes("A1", ["TP53", "ACTB"])


@pytest.mark.parametrize(
    ("listed", "known", "said"),
    [
        ("GAPDH", "Gapdh", "did you mean Gapdh for GAPDH?"),
        ("dl", "Dl", "did you mean Dl for dl?"),
        ("HLA\u2010A", "HLA-A", "did you mean HLA-A for HLA\u2010A?"),
        ("TP53", "Trp53", None),
    ],
)
def test_a_listed_gene_in_another_form_is_no_match_but_suggested(listed, known, said):
    with pytest.raises(InputError, match=r"1 of the 1 genes of genes.txt") as caught:
        check_listed_genes(genes("A1", [known, *SYMBOLS]), [listed], "genes.txt")
    assert caught.value.action.startswith(said or "correct genes.list")


@pytest.mark.parametrize("symbol", ["TBCE", "HLA-DRB3"])
def test_genes_of_one_symbol_in_another_order_are_refused(symbol):
    names = [*SYMBOLS, symbol, f"{symbol}-1"]
    ids = {name: f"ENSG{at:011d}" for at, name in enumerate(names)}
    reference = Genes("A1", names, ids)
    assert check_gene_names(Genes("B1", names, dict(ids)), reference) == len(names)
    other = ids | {symbol: ids[f"{symbol}-1"], f"{symbol}-1": ids[symbol]}
    with pytest.raises(InputError) as caught:
        check_gene_names(Genes("B1", names, other), reference)
    assert f"(ENSG00000000051 is {symbol} here and {symbol}-1 there, " in str(caught.value)
    assert "than in section A1" in str(caught.value)
    assert "genes.ids: ensembl" in caught.value.action
    # A section that has only the second of them, under the name of the first.
    with pytest.raises(InputError, match=f"is {symbol} here and {symbol}-1 there"):
        check_gene_names(Genes("B1", names[:-1], {symbol: ids[f"{symbol}-1"]}), reference)


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"GENE1": "ENSG00000000001", "GENE2": "ENSG00000000009"},  # another annotation
        {"GENE3": "ENSG00000000007"},  # one that has got another symbol since
        {"GENE8": "ENSG00000000008", "GENE8-1": "ENSG00000000008"},  # one id for two rows
    ],
)
def test_other_ids_of_symbols_that_are_not_repeated_are_no_fault(ids):
    names = [*SYMBOLS, "GENE8-1"]
    reference = Genes("A1", names, {name: f"ENSG{at:011d}" for at, name in enumerate(names)})
    assert check_gene_names(Genes("B1", names, ids), reference) == len(names)


@pytest.mark.parametrize("ids", [{}, {"TP53": "ENSG00000141510"}])
def test_ids_are_written_beside_names_and_read_again(tmp_path, ids):
    written = Genes("A1", ["TP53", "ACTB"], ids)
    written.write(tmp_path / "A1.genes.txt")
    assert Genes.read("A1", tmp_path / "A1.genes.txt") == written
