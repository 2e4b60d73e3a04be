"""Files of a matrix that do not fit together are refused with what is wrong with them."""

import numpy as np
import pytest
from scipy import io, sparse

from count_files import COUNTS, GENES, write_mtx
from ressat.base.errors import InputError
from ressat.counts.tenx_matrix import read_mtx_matrix


def refusal(folder: object, **texts: str) -> InputError:
    write_mtx(folder, packed=False, **texts)
    with pytest.raises(InputError) as caught:
        read_mtx_matrix(*(str(folder / name) for name in ("matrix.mtx", "features.tsv", "barcodes.tsv")))
    return caught.value


@pytest.mark.parametrize("barcodes", [4, 7])
def test_a_transposed_matrix_is_named(tmp_path, barcodes):
    counts = np.ones((barcodes, 3), dtype=int)
    io.mmwrite(tmp_path / "t.mtx", sparse.coo_matrix(counts))
    texts = {"barcodes_tsv": "".join(f"B{i}\n" for i in range(barcodes))}
    error = refusal(tmp_path / "m", matrix_mtx=(tmp_path / "t.mtx").read_text(), **texts)
    assert f"a matrix of {barcodes} x 3, which is spots x genes" in str(error)
    assert error.action.startswith("transpose the matrix")


FEATURES = "".join(f"ENSG{i}\t{name}\tGene Expression\n" for i, name in enumerate(GENES))
BARCODES = "AAA-1\nCCC-1\nGGG-1\nTTT-1\n"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            {"features_tsv": "gene_id\tgene_name\ttype\n" + FEATURES},
            "of the features (gene_id, gene_name, type)",
        ),
        ({"barcodes_tsv": "barcode\n" + BARCODES}, "of the barcodes (barcode)"),
        (
            {"features_tsv": "x\ty\tz\n" + FEATURES, "barcodes_tsv": "V1\n" + BARCODES},
            "of the features (x, y, z) and of the barcodes (V1)",
        ),
    ],
)
def test_a_header_is_named(tmp_path, texts, said):
    error = refusal(tmp_path / "m", **texts)
    assert f"the first line {said} seems to be a header" in str(error)
    assert "remove that line" in error.action


@pytest.mark.parametrize("words", [["protein_coding", "lncRNA", "protein_coding"], ["1", "2", "X"]])
def test_a_third_column_of_something_else_is_named(tmp_path, words):
    lines = (f"ENSG{i}\t{name}\t{word}\n" for i, (name, word) in enumerate(zip(GENES, words, strict=True)))
    error = refusal(tmp_path / "m", features_tsv="".join(lines))
    assert f"its third column holds {words[0]}, {words[1]}" in str(error)
    assert error.file.endswith("features.tsv")
    assert COUNTS.shape[1] == 3
