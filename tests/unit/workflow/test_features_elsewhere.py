import os

import pytest

from small_study import SHEET, refusal

HEADER, *ROWS = SHEET.splitlines()
SHEET_WITH = "\n".join([f"{HEADER}\tfeatures\tpatches", *ROWS[:-1], f"{ROWS[-1]}\tX.h5\tX_patches.h5", ""])
NONE = {"stain__method": "none"}
HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _files(folder):
    (folder / "X.h5").write_bytes(HDF5)
    (folder / "X_patches.h5").write_bytes(bytes(512) + HDF5)  # behind a block of the user's own


def test_features_made_elsewhere_are_taken_without_stain_normalisation(load):
    section = load(SHEET_WITH, **NONE).sections["X"]
    assert (str(section.features), str(section.patches)) == ("X.h5", "X_patches.h5")


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_with_stain_normalisation_they_are_refused(load, method):
    message = refusal(load, SHEET_WITH, stain__method=method)
    assert (
        f"config.yaml: stain.method is {method}, and the features of section X were made elsewhere" in message
    )
    assert "expected stain: {method: none}" in message


@pytest.mark.parametrize("name", ["X.h5", "X_patches.h5"])
def test_a_file_that_is_not_there_is_named_with_its_column(load, folder, name):
    (folder / name).unlink()
    kind = "features" if name == "X.h5" else "patches"
    assert f"section X: {name}: no such file or folder ({kind})" in refusal(load, SHEET_WITH, **NONE)


@pytest.mark.parametrize("name", ["X.h5", "X_patches.h5"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an HDF5 file; "),
        (b"PK\x03\x04 of torch", "not an HDF5 file; "),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 77\n",
            "a Git LFS pointer, not the file",
        ),
    ],
)
def test_a_file_that_is_not_hdf5_is_refused(load, folder, name, content, said):
    (folder / name).write_bytes(content)
    assert f"section X: {name}: {said}" in refusal(load, SHEET_WITH, **NONE)


def test_a_folder_and_a_pipe_are_refused(load, folder):
    (folder / "X.h5").unlink()
    (folder / "X.h5").mkdir()
    assert "section X: X.h5: a folder; expected the HDF5 file" in refusal(load, SHEET_WITH, **NONE)
    (folder / "X.h5").rmdir()
    os.mkfifo(folder / "X.h5")
    assert "X.h5: a named pipe (FIFO), not a file" in refusal(load, SHEET_WITH, **NONE)


def test_of_a_simulated_section_they_must_be_there_too(load, folder):
    (folder / "X.h5").unlink()
    message = refusal(load, SHEET_WITH, simulate={"sections": {"X": {"seed": 1}}}, **NONE)
    assert "section X: X.h5: no such file" in message
