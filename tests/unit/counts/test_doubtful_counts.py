"""Counts of some of the genes, and counts cut off at 255, are told."""

import logging

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.anndata_table import read_values

COUNTS = np.random.default_rng(0).poisson(3, size=(30, 40)).astype(np.float32)


def chosen(number: int, raw: np.ndarray | None = COUNTS, **layers: np.ndarray) -> anndata.AnnData:
    """Counts of the first genes, with those of all in raw."""
    var = pd.DataFrame(index=[f"G{i}" for i in range(40)])
    adata = anndata.AnnData(sparse.csr_matrix(COUNTS[:, :number]), var=var[:number])
    for name, values in layers.items():
        adata.layers[name] = values
    if raw is not None:
        adata.raw = anndata.AnnData(sparse.csr_matrix(raw), var=var)
    return adata


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.WARNING, logger="ressat")
    return caplog


@pytest.mark.parametrize("number", [10, 30])
@pytest.mark.parametrize("layer", [None, "counts"])
def test_a_choice_of_genes_is_refused_if_raw_has_counts_of_all(number, layer, warnings):
    adata = chosen(number, counts=COUNTS[:, :number])
    with pytest.raises(InputError, match=f"counts of {number} genes, and raw has 40") as caught:
        read_values(adata, layer)
    assert caught.value.action == "set the column layer to raw"
    assert (read_values(adata, "raw")[0].toarray() == COUNTS).all()
    assert warnings.messages == []


@pytest.mark.parametrize(
    ("number", "raw"),
    [(38, COUNTS), (40, COUNTS), (20, np.log1p(COUNTS)), (20, COUNTS * (np.arange(40) < 20)), (20, None)],
)
def test_what_raw_has_besides_may_be_few_counts_or_none(number, raw, warnings):
    read_values(chosen(number, raw), None)
    assert warnings.messages == []


@pytest.mark.parametrize("kind", [bool, str, int])
def test_genes_that_are_all_variable_are_warned_of(kind, warnings):
    adata = chosen(20, None)
    adata.var["highly_variable"] = np.ones(20, dtype=bool).astype(kind)
    read_values(adata, None)
    assert warnings.messages[0].startswith("all of its 20 genes are marked as highly variable, so")
    adata.var["highly_variable"] = (np.arange(20) > 0).astype(kind)
    read_values(adata, None)
    assert len(warnings.messages) == 1


@pytest.mark.parametrize("column", ["total_counts", "n_counts"])
@pytest.mark.parametrize(("number", "expected"), [(20, 1), (38, 0), (40, 0)])
def test_totals_that_were_larger_are_warned_of(column, number, expected, warnings):
    adata = chosen(number, None)
    adata.obs[column] = COUNTS.sum(axis=1)
    read_values(adata, None)
    assert len(warnings.messages) == expected
    assert all(f"obs['{column}'] says " in message for message in warnings.messages)
    adata.obs[column] = "many"
    read_values(adata, None)
    assert len(warnings.messages) == expected


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(
    ("dtype", "largest", "warned"), [("u1", 255, 1), ("u1", 254, 0), ("i1", 127, 1), ("u2", 255, 0)]
)
def test_counts_that_reach_the_limit_of_8_bits_are_warned_of(kind, dtype, largest, warned, warnings):
    counts = COUNTS.astype(dtype)
    counts[3, 4] = largest
    read_values(anndata.AnnData(kind(counts)), None)
    assert len(warnings.messages) == warned
    assert all(message.startswith(f"X is stored as {np.dtype(dtype)}, and") for message in warnings.messages)
