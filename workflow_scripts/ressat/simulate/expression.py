"""Counts for a drawn section, planted on what can be seen in it, as Space Ranger writes them."""

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyvips
from scipy.sparse import csr_matrix

from ressat.base.errors import InputError
from ressat.base.files import replacing
from ressat.base.hdf5_file import new_hdf5
from ressat.base.visium import PITCH_UM, SPACE_RANGER_SPOT_UM, SPOT_UM
from ressat.simulate.tissue import MARGIN_UM, Tissue, TissueSettings

TILE_UM = 112.0  # edge of the tile that a covariate is measured over
FIDUCIAL_UM = 105.0  # diameter of a fiducial in Space Ranger's JSON
HIRES_PX, LOWRES_PX = 2000, 600  # longer sides of Space Ranger's two images

LIBRARY_SPREAD = 0.35  # standard deviation of the log of a spot's counts
DISPERSION = 0.1  # variance = mean + DISPERSION * mean^2

# Where a planted gene is half way up, and the scale of its rise; the same in every section.
RESPONSES = {"density": (3000.0, 1000.0), "eosin": (0.40, 0.09)}
# Ranges of settings; an array has at most the rows and columns of Visium's own.
RANGES = {"seed": (0, 2**32 - 1), "rows": (2, 78), "cols": (2, 64), "mpp": (0.1, 4.0)}
RANGES |= dict.fromkeys(("density", "eosin", "noise"), (0, 1000))
RANGES |= {"counts": (100, 1_000_000), "slope": (-3, 3)}

FLOOR = 0.15  # lowest share of a planted gene, relative to its mean


@dataclass(frozen=True)
class GeneSettings:
    """Which genes are simulated; the same for every section of a study, since expression is relative.

    Parameters
    ----------
    density, eosin
        Pairs of genes planted on nuclear density and on eosin: one of a pair rises, one falls.
    noise
        Genes that depend on nothing.
    """

    density: int = 10
    eosin: int = 10
    noise: int = 20


@dataclass(frozen=True)
class DepthSettings:
    """How deep a section is sequenced.

    Parameters
    ----------
    counts
        Mean counts of a spot.
    slope
        How much the logarithm of a spot's counts rises with nuclear density, for each unit of the scale in
        `RESPONSES`; 0 for depth that depends on nothing.
    """

    counts: int = 4000
    slope: float = 0.0


def read_settings(config: Mapping) -> tuple[TissueSettings, GeneSettings, DepthSettings]:
    """Read a section's settings: those of `TissueSettings`, and under ``genes`` and ``depth`` the others'.

    Raises
    ------
    InputError
        A key is unknown, or a value is not a number in its range.
    """
    config = dict(config)
    genes, depth = config.pop("genes", {}), config.pop("depth", {})
    for name, settings in (("genes", genes), ("depth", depth)):
        if not isinstance(settings, Mapping):
            raise InputError(
                f"{name} of a simulated section is {settings!r}",
                expected="a mapping",
                action="correct config.yaml",
            )
    for settings, known in ((config, TissueSettings), (genes, GeneSettings), (depth, DepthSettings)):
        kinds = {field.name: field.type for field in fields(known)}
        for key, value in settings.items():
            if key not in kinds:
                raise InputError(
                    f"unknown setting {key!r} of a simulated section",
                    expected=", ".join(kinds),
                    action="correct config.yaml",
                )
            low, high = RANGES[key]
            number = "a number" if kinds[key] is float else "a whole number"
            numeric = isinstance(value, kinds[key] | int) and not isinstance(value, bool)
            if not numeric or not low <= value <= high:
                raise InputError(
                    f"setting {key} of a simulated section is {value!r}",
                    expected=f"{number} from {low} to {high}",
                    action="correct config.yaml",
                )
    gene_settings = GeneSettings(**genes)
    if not (gene_settings.density or gene_settings.eosin or gene_settings.noise):
        raise InputError("a simulated section has no genes", expected="at least one")
    return TissueSettings(**config), gene_settings, DepthSettings(**depth)


def array_positions(settings: TissueSettings, tissue: Tissue) -> pd.DataFrame:
    """List all spots of the array in the columns of Space Ranger 2's ``tissue_positions.csv``.

    Visium's layout: rows `PITCH_UM` * sqrt(3) / 2 apart, odd ones shifted by half a pitch; a column of
    the array is half a pitch, so that ``array_row`` and ``array_col`` are both even or both odd. As on
    real slides, a position has the same barcode in every section.
    """
    row, place = np.indices((settings.rows, settings.cols)).reshape(2, -1)
    column = 2 * place + row % 2
    x = (MARGIN_UM + column * PITCH_UM / 2) / settings.mpp
    y = (MARGIN_UM + row * PITCH_UM * np.sqrt(3) / 2) / settings.mpp
    positions = pd.DataFrame(
        {
            "barcode": [_barcode(*place) for place in zip(row.tolist(), column.tolist(), strict=True)],
            "in_tissue": 0,
            "array_row": row,
            "array_col": column,
            "pxl_row_in_fullres": np.rint(y).astype(int),
            "pxl_col_in_fullres": np.rint(x).astype(int),
        }
    )
    covered = _box_means(tissue.inside, positions, SPOT_UM / settings.mpp)
    positions["in_tissue"] = (covered >= 0.5).astype(int)
    return positions


def measure_tiles(tissue: Tissue, positions: pd.DataFrame, mpp: float) -> pd.DataFrame:
    """Measure what was drawn in the tile of `TILE_UM` around each spot.

    Returns
    -------
    pandas.DataFrame
        ``density``, nuclei per mm2, and ``eosin``, mean optical density before the section's own stain,
        one row per spot, indexed by barcode.
    """
    centres = positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy() * mpp
    nuclei = [(np.abs(tissue.nuclei - centre).max(axis=1) < TILE_UM / 2).sum() for centre in centres]
    return pd.DataFrame(
        {
            "density": np.array(nuclei) / (TILE_UM / 1000) ** 2,
            "eosin": _box_means(tissue.eosin, positions, TILE_UM / mpp),
        },
        index=pd.Index(positions["barcode"]),
    )


def gene_table(genes: GeneSettings) -> pd.DataFrame:
    """List the genes: ``gene``, ``kind`` (planted or noise), ``covariate`` and ``direction``."""
    planted = [
        (f"{covariate.upper()}_{direction.upper()}{number:02d}", "planted", covariate, direction)
        for covariate in RESPONSES
        for direction in ("up", "down")
        for number in range(1, getattr(genes, covariate) + 1)
    ]
    noise = [(f"NOISE{number:02d}", "noise", "none", "none") for number in range(1, genes.noise + 1)]
    return pd.DataFrame(planted + noise, columns=["gene", "kind", "covariate", "direction"])


def simulate_counts(
    tiles: pd.DataFrame, genes: pd.DataFrame, seed: int, depth: DepthSettings = DepthSettings()
) -> np.ndarray:
    """Draw counts: negative binomial around each gene's share of the spot's library.

    A planted gene's share follows a logistic curve of its covariate; its partner's is the mirror image, so
    that a pair's sum is the same everywhere and nothing reaches the noise genes through the library size.
    A gene's curve depends on its name alone, a spot's library size on nothing but what ``depth`` plants.

    Parameters
    ----------
    tiles
        From `measure_tiles`.
    genes
        From `gene_table`.
    seed
        The section's seed.
    depth
        Of sequencing.

    Returns
    -------
    numpy.ndarray
        int32 (spots, genes).
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"counts")])
    shares = np.empty((len(tiles), len(genes)))
    for column, gene in enumerate(genes.itertuples()):
        # The partners of a pair differ in their direction only.
        own = np.random.default_rng(zlib.crc32(gene.gene.replace("_DOWN", "_UP").encode()))
        weight, steepness = own.lognormal(0, 0.5), own.uniform(0.8, 1.3)
        shares[:, column] = weight
        if gene.kind == "planted":
            middle, scale = RESPONSES[gene.covariate]
            sign = {"up": 1, "down": -1}[gene.direction]
            rise = np.tanh(sign * steepness * (tiles[gene.covariate] - middle) / (2 * scale))
            shares[:, column] *= 1 + (1 - FLOOR) * rise
    shares /= shares.sum(axis=1, keepdims=True)
    library = depth.counts * rng.lognormal(-(LIBRARY_SPREAD**2) / 2, LIBRARY_SPREAD, (len(tiles), 1))
    if depth.slope:
        middle, scale = RESPONSES["density"]
        rise = np.exp(depth.slope * (tiles["density"].to_numpy() - middle) / scale)
        library *= (rise / rise.mean())[:, None]
    return rng.poisson(library * shares * rng.gamma(1 / DISPERSION, DISPERSION, shares.shape)).astype(
        np.int32
    )


def write_matrix(
    path: str | os.PathLike, counts: np.ndarray, barcodes: list[str], names: list[str], library: str
) -> None:
    """Write ``filtered_feature_bc_matrix.h5`` in the layout of Cell Ranger 3 and later.

    Parameters
    ----------
    path
        The HDF5 file to write.
    counts
        int32 (spots, genes).
    barcodes, names
        Of the spots and of the genes.
    library
        Name of the library, here the section.
    """
    # The format's columns are the spots, compressed: the same arrays as rows of spots.
    sparse = csr_matrix(counts)
    n = len(names)
    with new_hdf5(path) as file:
        file.attrs["filetype"] = "matrix"
        file.attrs["version"] = 2
        file.attrs["chemistry_description"] = "simulated"
        file.attrs["software_version"] = "ressat"
        file.attrs["library_ids"] = np.array([library.encode()])
        file.attrs["original_gem_groups"] = np.array([1])
        matrix = file.create_group("matrix")
        matrix["barcodes"] = np.array(barcodes, "S")
        matrix["data"] = sparse.data
        matrix["indices"] = sparse.indices.astype(np.int64)
        matrix["indptr"] = sparse.indptr.astype(np.int64)
        matrix["shape"] = np.array([n, len(barcodes)], np.int32)
        features = matrix.create_group("features")
        features["id"] = np.array([f"SIMG{zlib.crc32(name.encode()):011d}" for name in names], "S")
        features["name"] = np.array(names, "S")
        features["feature_type"] = np.array(["Gene Expression"] * n, "S")
        features["genome"] = np.array(["simulated"] * n, "S")
        features["_all_tag_keys"] = np.array(["genome"], "S")


def write_preview(path: str | os.PathLike, image: np.ndarray, longest: int) -> float:
    """Write a PNG whose longer side has ``longest`` pixels at most; return its scale to the image."""
    scale = min(1.0, longest / max(image.shape[:2]))
    with replacing(path) as temporary:
        pyvips.Image.new_from_array(image).resize(scale).pngsave(str(temporary))
    return scale


def scalefactors(mpp: float, hires: float, lowres: float) -> dict[str, float]:
    """Return the content of ``scalefactors_json.json``; the scales are those of the two images."""
    return {
        "spot_diameter_fullres": SPACE_RANGER_SPOT_UM / mpp,
        "tissue_hires_scalef": hires,
        "fiducial_diameter_fullres": FIDUCIAL_UM / mpp,
        "tissue_lowres_scalef": lowres,
    }


def _barcode(row: int, column: int) -> str:
    """Spell a position in 16 bases; an odd factor modulo 4^16 gives every position its own."""
    number = ((row << 16) + column + 1) * 2654435761 % 4**16
    return "".join("ACGT"[number >> shift & 3] for shift in range(30, -2, -2)) + "-1"


def _box_means(field: np.ndarray, positions: pd.DataFrame, side: float) -> np.ndarray:
    """Mean of a field (height, width) over the square of ``side`` pixels around each spot."""
    corners = positions[["pxl_row_in_fullres", "pxl_col_in_fullres"]].to_numpy() - side / 2
    size = round(side)
    return np.array([field[y : y + size, x : x + size].mean() for y, x in np.rint(corners).astype(int)])
