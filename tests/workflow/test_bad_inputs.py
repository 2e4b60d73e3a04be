"""Wrong files of a section are found by its check: one sentence, a trace in the log, no harm to others."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy import sparse

from studies import Run, copy_study

MATRIX = "outs/filtered_feature_bc_matrix.h5"
POSITIONS = "outs/spatial/tissue_positions.csv"


def truncate(name: str, share: float) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return spoil


def change_matrix(change: Callable[[h5py.Group], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with h5py.File(folder / MATRIX, "r+") as file:
            change(file["matrix"])

    return spoil


def set_counts(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def edit(matrix: h5py.Group) -> None:
        data = change(matrix["data"][()])
        del matrix["data"]
        matrix["data"] = data

    return change_matrix(edit)


def first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda data: np.concatenate([[value], data[1:].astype(float)])


def set_barcodes(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def edit(matrix: h5py.Group) -> None:
        barcodes = change(matrix["barcodes"][()].tolist())
        del matrix["barcodes"]
        matrix["barcodes"] = np.array(barcodes, dtype="S")

    return change_matrix(edit)


def set_positions(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        change(pd.read_csv(folder / POSITIONS)).to_csv(folder / POSITIONS, index=False)

    return spoil


def scale_coordinates(factor: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    columns = ["pxl_row_in_fullres", "pxl_col_in_fullres"]
    return lambda table: table.assign(**{name: table[name] * factor for name in columns})


def empty(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(b"")


def normalised(folder: Path) -> None:
    """The counts as log1p CP10k, in an h5ad that keeps the raw ones in a layer."""
    with h5py.File(folder / MATRIX) as file:
        matrix = file["matrix"]
        counts = sparse.csc_matrix(
            (matrix["data"][()], matrix["indices"][()], matrix["indptr"][()]), shape=matrix["shape"][()]
        ).T.tocsr()
        names = matrix["barcodes"].asstr()[()]
        genes = matrix["features/name"].asstr()[()]
    places = pd.read_csv(folder / POSITIONS, index_col="barcode").loc[names]
    totals = np.asarray(counts.sum(axis=1))
    adata = anndata.AnnData(
        np.log1p(counts.toarray() / totals * 1e4),
        obs=pd.DataFrame(index=names),
        var=pd.DataFrame(index=genes),
        layers={"counts": counts.astype(np.float32)},
    )
    adata.obsm["spatial"] = places[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(dtype=float)
    adata.write_h5ad(folder / "counts.h5ad")


def grey(folder: Path) -> None:
    with Image.open(folder / "slide.tiff") as image:
        image.convert("L").save(folder / "slide.png")


# What is done to a section's files, and what its message says: file, what was found, expected, what to do.
CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty_slide": (empty("slide.tiff"), r"slide\.tiff: .*empty.*; expected .*; "),
    "truncated_slide": (truncate("slide.tiff", 0.5), r"slide\.tiff: .*; expected .*; .*copy"),
    "grey_slide": (grey, r"slide\.png: .*grey.*; expected a colour"),
    "empty_matrix": (empty(MATRIX), r"matrix\.h5: .*; expected .*; copy it again"),
    "truncated_matrix": (truncate(MATRIX, 0.6), r"matrix\.h5: .*; expected .*; copy it again"),
    "empty_positions": (empty(POSITIONS), r"positions\.csv: .*; expected .*; copy .*again"),
    "no_common_barcode": (
        set_barcodes(lambda names: [b"X" + name for name in names]),
        r"matrix\.h5: none of its \d+ spots \(first: X.*\) has a position.*; expected spots named like",
    ),
    "repeated_barcode": (
        set_barcodes(lambda names: [names[0], *names[:-1]]),
        r"matrix\.h5: .* more than once \(first: .*\); expected each spot once; remove",
    ),
    "nan_count": (set_counts(first(np.nan)), r"a count of nan \(spot .*, gene .*\); expected raw counts"),
    "negative_count": (set_counts(first(-3)), r"a count of -3 \(spot .*, gene .*\); expected raw counts"),
    "broken_count": (set_counts(first(0.5)), r"a count of 0\.5 \(spot .*, gene .*\).*expected raw counts"),
    "zero_counts": (
        set_counts(lambda data: data * 0),
        r"no spot with counts among \d+ \(\d+ with zero counts",
    ),
    "no_tissue_spot": (
        set_positions(lambda table: table.assign(in_tissue=0)),
        r"none of its \d+ spots lies under tissue .*; expected spots marked as under tissue",
    ),
    "hires_pixels": (
        set_positions(scale_coordinates(0.2)),
        r"slide\.tiff: the sources of its scale contradict each other: spot pitch 5, slide tags 1 um/px; it "
        r"seems that the coordinates are pixels of an image 5 times smaller",
    ),
    "normalised": (normalised, r"counts\.h5ad: .*log1p.*; expected raw counts.*layer.* counts"),
}


@pytest.fixture(scope="module")
def checked(micro, snakemake, tmp_path_factory) -> tuple[Path, Run, dict[Path, tuple[bytes, int]]]:
    """A good section with results, and one more for every case, checked in one run."""
    study = copy_study(micro, tmp_path_factory.mktemp("bad") / "study")
    config = yaml.safe_load((study / "config.yaml").read_text())
    del config["simulate"]
    (study / "config.yaml").write_text(yaml.safe_dump(config))
    rows = ["sample\tslide\texpression\tpatient\trole", "good\tgood/slide.tiff\tgood/outs\tgood\ttrain"]
    shutil.copytree(micro / "data/M1", study / "good")
    (study / "samples.tsv").write_text("\n".join(rows) + "\n")
    snakemake(study, "results/stain/good.json", "results/expression/good.h5ad")
    finished = {file: state(file) for file in sorted((study / "results").rglob("*")) if file.is_file()}
    for name, (spoil, _) in CASES.items():
        shutil.copytree(micro / "data/M1", study / name)
        spoil(study / name)
        slide = "slide.png" if (study / name / "slide.png").exists() else "slide.tiff"
        counts = "counts.h5ad" if (study / name / "counts.h5ad").exists() else "outs"
        rows.append(f"{name}\t{name}/{slide}\t{name}/{counts}\t{name}\ttrain")
    (study / "samples.tsv").write_text("\n".join(rows) + "\n")
    run = snakemake(study, "check", "--keep-going", succeeds=False)
    return study, run, finished


def state(file: Path) -> tuple[bytes, int]:
    return file.read_bytes(), file.stat().st_mtime_ns


@pytest.mark.parametrize("case", CASES)
def test_the_message_says_what_is_wrong_where_and_what_to_do(checked, case):
    study, run, _ = checked
    (message,) = json.loads((study / f"logs/check_section/{case}.json").read_text())
    assert message.startswith(f"section {case}: {case}/")
    assert re.search(CASES[case][1], message), message
    assert f"check_section {case}: {message}" in run.output
    assert f"- {message}" in run.output.split("Problems: ")[1]
    assert not (study / f"results/checks/{case}.json").exists()


def test_the_screen_shows_no_trace_and_the_logs_do(checked):
    study, run, _ = checked
    assert "Traceback" not in run.output
    for case in CASES:
        assert "Traceback" in (study / f"logs/check_section/{case}.log").read_text()


def test_the_table_lists_all_sections(checked):
    _, run, _ = checked
    table = run.output.split("section  ", 1)[1] if "section  " in run.output else run.output
    assert re.search(r"(?m)^good .* ok$", table)
    for case in CASES:
        assert re.search(rf"(?m)^{case} .*1 problem$", table), case


def test_what_was_finished_is_untouched(checked):
    _, _, finished = checked
    assert {file: state(file) for file in finished} == finished
