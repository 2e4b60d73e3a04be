"""Files of counts as Space Ranger writes them, for tests of what reads them."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import io, sparse

from ressat.counts.format import CountsSource
from ressat.workflow.counts_source import counts_source
from ressat.workflow.sheet import Section

# Four spots of a slide that is much wider than high, so that x and y cannot be mixed up.
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]
POSITIONS = pd.DataFrame(
    {
        "barcode": ["GGG-1", "AAA-1", "TTT-1", "CCC-1", "NNN-1"],
        "in_tissue": [1, 1, 1, 0, 1],
        "array_row": [1, 0, 0, 0, 1],
        "array_col": [1, 0, 4, 2, 3],
        "pxl_row_in_fullres": [287, 200, 200, 200, 287],
        "pxl_col_in_fullres": [1050, 1000, 1200, 1100, 1150],
    }
)
GENES = ["TP53", "ACTB", "TP53"]
COUNTS = np.array([[1, 0, 2], [3, 3, 3], [0, 5, 0], [0, 0, 0]])
FACTORS = {"spot_diameter_fullres": 65.0, "tissue_hires_scalef": 0.1, "tissue_lowres_scalef": 0.03}


def section(expression: Path | str, **more: object) -> Section:
    """A row of the sheet."""
    given = {"spots": None, "patient": "P", "role": "train"} | more
    return Section("S1", Path("s1.svs"), Path(expression), **given)


def source(expression: Path | str, **more: object) -> CountsSource:
    """Where the counts of a row of the sheet are, as the pipeline finds them."""
    row = section(expression, **more)
    return counts_source(row.expression, row.counts_options)


def write_h5(
    path: Path, counts: np.ndarray, barcodes: Sequence[str], genes: Sequence[str], kinds: Sequence[str]
) -> None:
    """Write a count matrix as Space Ranger writes it: features x spots, by columns."""
    matrix = sparse.csc_matrix(counts.T)
    with h5py.File(path, "w") as file:
        file.attrs["library_ids"] = np.array(["S1"], dtype="S")  # squidpy asks for it
        group = file.create_group("matrix")
        group["barcodes"] = np.array(barcodes, dtype="S")
        for name in ("data", "indices", "indptr", "shape"):
            group[name] = getattr(matrix, name)
        features = {"id": [f"ENSG{i}" for i in range(len(genes))], "name": genes, "feature_type": kinds}
        for name, values in {**features, "genome": ["GRCh38"] * len(genes)}.items():
            group[f"features/{name}"] = np.array(values, dtype="S")


def write_genomes(path: Path, **genomes: np.ndarray) -> None:
    """Write a matrix of version 2, with counts of one or more genomes."""
    with h5py.File(path, "w") as file:
        for name, counts in genomes.items():
            matrix = sparse.csc_matrix(counts.T)
            for part in ("data", "indices", "indptr", "shape"):
                file[f"{name}/{part}"] = getattr(matrix, part)
            file[f"{name}/barcodes"] = np.array(BARCODES, dtype="S")
            file[f"{name}/gene_names"] = np.array(GENES, dtype="S")
            file[f"{name}/genes"] = np.array([f"ENSG{i}" for i in range(len(GENES))], dtype="S")


def write_mtx(folder: Path, packed: bool = True, features: str = "features.tsv", **texts: str) -> None:
    """Write a matrix as a folder of three files; texts replace what they hold."""
    folder.mkdir(parents=True)
    io.mmwrite(folder / "matrix.mtx", sparse.coo_matrix(COUNTS.T))
    rows = [f"ENSG{i}\t{name}\tGene Expression" for i, name in enumerate(GENES)]
    (folder / features).write_text("".join(f"{row}\n" for row in rows))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in BARCODES))
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)
    for file in list(folder.iterdir()) if packed else []:
        Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()


def write_outs(
    folder: Path,
    counts: np.ndarray = COUNTS,
    barcodes: Sequence[str] = BARCODES,
    positions: pd.DataFrame = POSITIONS,
    genes: Sequence[str] = GENES,
    kinds: Sequence[str] | None = None,
    factors: dict = FACTORS,
) -> Path:
    """Write what the pipeline reads of Space Ranger's ``outs``."""
    (folder / "spatial").mkdir(parents=True, exist_ok=True)
    kinds = kinds or ["Gene Expression"] * len(genes)
    write_h5(folder / "filtered_feature_bc_matrix.h5", counts, barcodes, genes, kinds)
    positions.to_csv(folder / "spatial/tissue_positions.csv", index=False)
    (folder / "spatial/scalefactors_json.json").write_text(json.dumps(factors))
    return folder


def write_bins(outs: Path, *sizes: int, mpp: float = 0.25, angle: float = 0.01) -> Path:
    """Write ``binned_outputs`` of Visium HD: 20 x 30 bins of each size, every count 1."""
    for size in sizes:
        row, column = np.indices((20, 30)).reshape(2, -1)
        x, y = column * size / mpp, row * size / mpp
        names = [f"s_{size:03d}um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)]
        positions = pd.DataFrame(
            {
                "barcode": names,
                "in_tissue": (column > 0).astype(int),
                "array_row": row,
                "array_col": column,
                "pxl_row_in_fullres": 500 + np.sin(angle) * x + np.cos(angle) * y,
                "pxl_col_in_fullres": 900 + np.cos(angle) * x - np.sin(angle) * y,
            }
        )
        scale = {"bin_size_um": size, "microns_per_pixel": mpp, "spot_diameter_fullres": size / mpp}
        folder = outs / f"binned_outputs/square_{size:03d}um"
        write_outs(folder, np.ones((600, 3)), names, positions, factors=FACTORS | scale)
        (folder / "spatial/tissue_positions.csv").unlink()
        positions.to_parquet(folder / "spatial/tissue_positions.parquet", index=False)
    return outs
