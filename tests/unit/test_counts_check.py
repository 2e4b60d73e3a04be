import re

import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.counts_check import (
    Counts,
    check_gene_names,
    check_listed_genes,
    check_spots,
    name_space,
)
from ressat.errors import InputError

SYMBOLS = [f"GENE{i}" for i in range(50)]
IDS = [f"ENSG{i:011d}" for i in range(50)]
VERSIONED = [f"{name}.{i % 9}" for i, name in enumerate(IDS)]


def spots(number: int = 30, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = {"n_counts": rng.integers(100, 9000, number), "n_genes": rng.integers(10, 50, number)}
    return pd.DataFrame(table, index=[f"s{i}" for i in range(number)]).astype(float)


def counts(section: str, genes: list[str], number: int = 30) -> Counts:
    return Counts(section, f"results/expression/{section}.h5ad", spots(number), pd.Index(genes))


def test_a_section_needs_spots():
    check_spots(counts("A1", SYMBOLS, 20))
    with pytest.raises(
        InputError, match=r"section A1: .*A1.h5ad: 19 spots with counts; expected at least 20"
    ):
        check_spots(counts("A1", SYMBOLS, 19))


def test_sections_of_one_study_share_their_genes():
    assert check_gene_names(counts("B1", SYMBOLS[10:]), counts("A1", SYMBOLS)) == 40


def test_a_small_panel_beside_a_whole_transcriptome_is_fine():
    assert check_gene_names(counts("B1", SYMBOLS[:5]), counts("A1", SYMBOLS)) == 5


@pytest.mark.parametrize(
    ("here", "there", "words", "action"),
    [
        (IDS, SYMBOLS, "Ensembl ids without version", "convert them to symbols, or to Ensembl ids"),
        (VERSIONED, IDS, "Ensembl ids with version", "remove the version"),
        (SYMBOLS, VERSIONED, "symbols", "convert them to symbols, or to Ensembl ids"),
    ],
)
def test_other_gene_names_are_refused_and_both_sections_named(here, there, words, action):
    with pytest.raises(InputError, match="section B1: ") as caught:
        check_gene_names(counts("B1", here), counts("A1", there))
    assert f"of its 50 genes, {words} ({here[0]} ...), 0 are among the 50 of section A1" in str(caught.value)
    assert action in caught.value.action


def test_a_few_names_in_common_are_not_enough():
    with pytest.raises(InputError, match="2 are among"):
        check_gene_names(counts("B1", [*IDS[2:], *SYMBOLS[:2]]), counts("A1", SYMBOLS))


def test_listed_genes_must_be_in_a_section_to_learn_from():
    check_listed_genes(counts("A1", SYMBOLS), SYMBOLS[:3], "genes.txt")
    message = "2 of the 3 genes of genes.txt (TP53, EGFR) are not among its 50 (GENE0, GENE1, GENE2 ...)"
    with pytest.raises(InputError, match="section A1: .*" + re.escape(message)):
        check_listed_genes(counts("A1", SYMBOLS), ["TP53", "GENE4", "EGFR"], "genes.txt")


def test_gene_names_are_recognised():
    assert name_space(pd.Index(["ENSMUSG00000064339.1"])) == "Ensembl ids with version"
    assert (
        name_space(pd.Index(["ENSG00000141736", "TP53", "ENSG00000141737"])) == "Ensembl ids without version"
    )
    assert name_space(pd.Index(["TP53", "ENSA"])) == "symbols"


def test_spots_and_genes_are_read_from_the_file_of_a_section(tmp_path):
    anndata.AnnData(np.ones((30, 3)), obs=spots(), var=pd.DataFrame(index=["a", "b", "c"])).write_h5ad(
        tmp_path / "A1.h5ad"
    )
    read = Counts.read("A1", tmp_path / "A1.h5ad")
    assert list(read.genes) == ["a", "b", "c"]
    pd.testing.assert_frame_equal(read.spots, spots(), check_names=False)
