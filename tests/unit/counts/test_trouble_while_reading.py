"""What the machine does to a reader is not told as damage of the file."""

import anndata
import h5py
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.counts import spot_positions
from ressat.counts.readers import h5ad
from ressat.counts.tenx_matrix import read_h5_matrix
from ressat.counts.text_cells import read_cells

LOCK = "Unable to synchronously open file (unable to lock file, errno = 11, error message = 'Resource ...')"
TROUBLES = [
    (BlockingIOError(11, LOCK), "another program has the file open"),
    (MemoryError("Unable to allocate 31.2 GiB for an array"), "memory ran out"),
    (OSError(23, "Too many open files in system"), "too many files are open"),
]
READERS = {
    "h5ad": (anndata, "read_h5ad", h5ad.read_h5ad),
    "10x": (h5py, "File", read_h5_matrix),
    "parquet": (spot_positions, "read_flat_columns", spot_positions.read_positions),
    "text": (pd, "read_csv", read_cells),
}


@pytest.mark.parametrize(("error", "words"), TROUBLES)
@pytest.mark.parametrize("kind", READERS)
def test_trouble_is_told_as_what_it_is(tmp_path, monkeypatch, kind, error, words):
    library, function, read = READERS[kind]
    file = tmp_path / ("a.parquet" if kind == "parquet" else "a.tsv")
    file.write_text("a\tb\n1\t2\n")
    if kind == "h5ad":  # of which our own look comes first
        h5py.File(file, "w").close()

    def fail(*_, **__):
        raise ValueError(str(error)) from error

    monkeypatch.setattr(library, function, fail)
    with pytest.raises(InputError) as refused:
        read(str(file))
    assert refused.value.problem.startswith(words)
    assert "again from" not in str(refused.value)
    assert "write it again" not in str(refused.value)


@pytest.mark.parametrize("text", ["truncated file: eof = 96", "file signature not found"])
def test_damage_is_still_damage(tmp_path, monkeypatch, text):
    def fail(*_, **__):
        raise OSError(f"Unable to synchronously open file ({text})")

    monkeypatch.setattr(h5py, "File", fail)
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match="copy it again"):
        read_h5_matrix(str(tmp_path / "a.h5"))
