"""Counts of two genomes in one matrix are refused, whatever its version."""

import logging
from pathlib import Path

import h5py
import numpy as np
import pytest

from count_files import BARCODES, write_h5
from ressat.base.errors import InputError
from ressat.counts.tenx_matrix import read_h5_matrix

GENES = ["TP53", "ACTB", "Trp53", "Actb"]


@pytest.fixture
def write(tmp_path):
    def write(counts: np.ndarray, genomes: list[str], kinds: list[str] | None = None) -> str:
        file: Path = tmp_path / "m.h5"
        write_h5(file, counts, BARCODES, GENES, kinds or ["Gene Expression"] * 4)
        with h5py.File(file, "a") as content:
            del content["matrix/features/genome"]
            content["matrix/features/genome"] = np.array(genomes, dtype="S")
        return str(file)

    return write


@pytest.mark.parametrize("other", ["mm10", "GRCm39"])
def test_two_genomes_with_counts_are_refused(write, other):
    file = write(np.ones((4, 4), dtype=int), ["GRCh38", "GRCh38", other, other])
    with pytest.raises(InputError, match="it has counts of 2 genomes, ") as caught:
        read_h5_matrix(file)
    assert other in str(caught.value)
    assert "Space Ranger's outs" not in caught.value.action


@pytest.mark.parametrize(
    ("last", "kinds", "warned"),
    [
        (0, None, 0),  # a genome without counts
        (1, None, 1),  # a virus
        (50, ["Gene Expression"] * 3 + ["Antibody Capture"], 0),  # antibodies have a genome of no name
    ],
)
def test_a_second_genome_with_few_counts_or_none_is_read(write, caplog, last, kinds, warned):
    caplog.set_level(logging.WARNING, logger="ressat")
    counts = np.full((4, 4), 100)
    counts[:, 3] = last
    matrix = read_h5_matrix(write(counts, ["GRCh38"] * 3 + ["" if kinds else "virus"], kinds))
    assert matrix.counts.toarray()[:, :3].tolist() == counts[:, :3].tolist()
    assert len(caplog.messages) == warned
