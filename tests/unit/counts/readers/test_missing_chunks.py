"""Chunks of a store that were lost are read as 0 by the library, and must not pass as counts."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.zarr_chunks import missing_chunks, refuse_missing_counts, refuse_missing_names

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(RNG.gamma(0.5, 4, size=60), size=(50, 60)).astype(np.float32)


@pytest.fixture(params=[2, 3])
def version(request) -> int:
    return request.param


def write_sparse(folder: Path, matrix: sparse.csr_matrix, version: int, pieces: int = 5) -> None:
    group = zarr.open_group(str(folder), mode="w", zarr_format=version)
    for part in ("data", "indices", "indptr"):
        values = getattr(matrix, part)
        group.create_array(part, data=values, chunks=(max(1, -(-len(values) // pieces)),))


def read_sparse(folder: Path, shape: tuple[int, int] = COUNTS.shape) -> sparse.csr_matrix:
    group = zarr.open_group(str(folder), mode="r")
    return sparse.csr_matrix(tuple(group[part][()] for part in ("data", "indices", "indptr")), shape=shape)


def chunk(array: Path, number: int, version: int) -> Path:
    return array / str(number) if version == 2 else array / "c" / str(number)


def refusal(folder: Path, values: object) -> str:
    with pytest.raises(InputError) as caught:
        refuse_missing_counts(folder, values, "X")
    assert "copy the store again, whole" in caught.value.action
    return str(caught.value)


@pytest.mark.parametrize("numbers", [[1], [0, 3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("part", ["data", "indices"])
def test_lost_chunks_of_a_sparse_matrix_are_refused(tmp_path, version, part, numbers):
    write_sparse(tmp_path / "X", sparse.csr_matrix(COUNTS), version)
    refuse_missing_counts(tmp_path / "X", read_sparse(tmp_path / "X"), "X")
    for number in numbers:
        chunk(tmp_path / "X" / part, number, version).unlink()
    said = refusal(tmp_path / "X", read_sparse(tmp_path / "X"))
    assert said.startswith(f"{len(numbers)} chunk")
    assert f"of X/{part} " in said


@pytest.mark.parametrize("empty", [0, 11])
def test_a_first_chunk_of_indptr_is_lost_unless_the_first_spots_have_no_counts(tmp_path, version, empty):
    counts = COUNTS.copy()
    counts[:empty] = 0
    write_sparse(tmp_path / "X", sparse.csr_matrix(counts), version)
    first = chunk(tmp_path / "X/indptr", 0, version)
    assert first.exists() == (empty == 0)  # the library itself does not write chunks of zeros
    first.unlink(missing_ok=True)
    values = read_sparse(tmp_path / "X")
    if empty:
        refuse_missing_counts(tmp_path / "X", values, "X")
    else:
        assert "1 chunk of X/indptr is missing" in refusal(tmp_path / "X", values)


@pytest.mark.parametrize("shape", [(0, 5), (7, 5)])
def test_a_matrix_without_counts_has_lost_nothing(tmp_path, version, shape):
    write_sparse(tmp_path / "X", sparse.csr_matrix(shape, dtype=np.float32), version)
    refuse_missing_counts(tmp_path / "X", read_sparse(tmp_path / "X", shape), "X")


def write_dense(folder: Path, counts: np.ndarray, version: int) -> np.ndarray:
    zarr.create_array(str(folder), data=counts, chunks=(20, 25), zarr_format=version)
    return counts


def lose(folder: Path, *blocks: tuple[int, int]) -> np.ndarray:
    for block in blocks:
        at = folder / ".".join(map(str, block))
        (at if at.exists() else folder / "c" / "/".join(map(str, block))).unlink()
    return zarr.open_array(str(folder), mode="r")[()]


@pytest.mark.parametrize("blocks", [[(0, 0)], [(2, 1)], [(1, 0), (1, 1), (1, 2)], [(0, 2), (1, 2), (2, 2)]])
def test_lost_blocks_of_a_dense_matrix_are_refused(tmp_path, version, blocks):
    write_dense(tmp_path / "X", COUNTS, version)
    refuse_missing_counts(tmp_path / "X", COUNTS, "X")
    said = f"of X, chunks are missing that would be read as 0: {len(blocks)} (first: spots "
    assert said in refusal(tmp_path / "X", lose(tmp_path / "X", *blocks))


@pytest.mark.parametrize("block", [(0, 1), (2, 2)])
def test_a_block_of_rare_genes_may_have_no_counts(tmp_path, version, block):
    rows, columns = slice(block[0] * 20, block[0] * 20 + 20), slice(block[1] * 25, block[1] * 25 + 25)
    counts = COUNTS.copy()
    counts[:, columns] = 0
    counts[30, columns] = 1  # in a block of its own
    written = write_dense(tmp_path / "X", counts, version)
    assert not written[rows, columns].any()
    assert len(missing_chunks(tmp_path / "X")[0]) == 2
    refuse_missing_counts(tmp_path / "X", written, "X")


@pytest.mark.parametrize("name", ["_index", "gene"])
def test_lost_names_are_refused(tmp_path, name):
    group = zarr.open_group(str(tmp_path / "var"), mode="w")
    group.attrs["_index"] = name
    group.create_array(name, data=np.arange(1, 41), chunks=(10,))
    refuse_missing_names(tmp_path / "var", "var")
    (tmp_path / "var" / name / "c/2").unlink()
    with pytest.raises(InputError, match=f"1 chunk of var/{name} is missing, which"):
        refuse_missing_names(tmp_path / "var", "var")


def test_chunks_in_shards_are_looked_for_by_the_shard(tmp_path):
    array = zarr.create_array(
        str(tmp_path / "data"), data=np.arange(1, 101), chunks=(10,), shards=(50,), zarr_format=3
    )
    assert missing_chunks(tmp_path / "data") == ([], (50,))
    assert array.shards == (50,)
    shutil.rmtree(tmp_path / "data/c")
    assert missing_chunks(tmp_path / "data") == ([(0,), (1,)], (50,))
