"""A sparse matrix is used only if its arrays fit together."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.sparse_matrix import is_sorted, refuse_damaged

COUNTS = np.arange(12).reshape(4, 3) % 5


def falling(matrix: sparse.csr_matrix) -> None:
    matrix.indptr[2] = matrix.indptr[1] - 1


def nothing(matrix: sparse.csr_matrix) -> None:
    matrix.indptr[:] = 0


def late(matrix: sparse.csr_matrix) -> None:
    matrix.indptr[0] = 1


def too_many(matrix: sparse.csr_matrix) -> None:
    matrix.indptr[-1] += 5


def beyond(matrix: sparse.csr_matrix) -> None:
    matrix.indices[3:5] = 70_000


def negative(matrix: sparse.csr_matrix) -> None:
    matrix.indices[0] = -5


def short(matrix: sparse.csr_matrix) -> None:
    matrix.data = matrix.data[:-2]


def few_rows(matrix: sparse.csr_matrix) -> None:
    matrix.indptr = matrix.indptr[:-1]


def fractions(matrix: sparse.csr_matrix) -> None:
    matrix.indices = matrix.indices.astype(float)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (falling, "its indptr falls in "),
        (nothing, "its indptr is all 0, and there are 9 values"),
        (late, "its indptr begins with 1, not 0"),
        (too_many, "its indptr speaks of 14 values, and there are 9"),
        (beyond, "2 of its values are in "),
        (negative, "(-5 of "),
        (short, "7 values (data) for 9 places (indices)"),
        (few_rows, "its indptr has "),
        (fractions, "its indices is float64"),
    ],
)
def test_a_damaged_matrix_is_refused_with_its_fault(kind, damage: Callable, said):
    matrix = kind(COUNTS)
    refuse_damaged(matrix, "X")
    damage(matrix)
    with pytest.raises(InputError) as caught:
        refuse_damaged(matrix, "layer counts")
    assert str(caught.value).startswith("layer counts is damaged: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (4, 3)])
def test_an_empty_matrix_is_whole(shape):
    refuse_damaged(sparse.csr_matrix(shape), "X")
    assert is_sorted(sparse.csr_matrix(shape))


def test_what_is_not_sparse_is_not_looked_at():
    refuse_damaged(COUNTS, "X")
    refuse_damaged(None, "X")


def test_room_behind_the_last_value_is_no_damage():
    matrix = sparse.csr_matrix(COUNTS)
    matrix.indices, matrix.data = np.append(matrix.indices, 0), np.append(matrix.data, 0)
    refuse_damaged(matrix, "X")


@pytest.mark.parametrize("at", [0, 3, 6])
def test_repeated_and_falling_indices_are_not_sorted(at):
    matrix = sparse.csr_matrix(COUNTS + 1)
    assert is_sorted(matrix)
    matrix.indices[at + 1] = matrix.indices[at]
    assert not is_sorted(matrix)
    matrix.indices[at : at + 2] = 1, 0
    assert not is_sorted(matrix)
