"""Counts and predictions of another version of the format are refused."""

import anndata
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.base.results_h5ad import read_results


@pytest.fixture
def write(tmp_path):
    def write(**uns):
        path = tmp_path / "C2.h5ad"
        anndata.AnnData(np.ones((3, 2), np.float32), uns=uns).write_h5ad(path)
        return path

    return write


@pytest.mark.parametrize("backed", [None, "r"])
def test_results_of_this_version_are_read(write, backed):
    adata = read_results(write(ressat={"version": FORMAT_VERSION}), backed)
    assert adata.shape == (3, 2)
    assert adata.isbacked == (backed == "r")
    if backed:
        adata.file.close()


@pytest.mark.parametrize("backed", [None, "r"])
@pytest.mark.parametrize("uns", [{}, {"ressat": {}}, {"ressat": {"version": 2}}])
def test_results_of_another_version_are_refused(write, uns, backed):
    path = write(**uns)
    with pytest.raises(InputError, match=r"C2\.h5ad: file format version .*; remove the results") as caught:
        read_results(path, backed)
    assert caught.value.file == str(path)
    path.unlink()
