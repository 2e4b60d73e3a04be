"""The report's maps: where spots lie on a section's image, and what was observed and predicted there.

The page draws them itself, gene by gene: pictures of all genes on all sections would take gigabytes.
"""

import base64
import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ressat.base.files import UNS
from ressat.base.layers import MODEL, OBSERVED
from ressat.base.names import gene_name
from ressat.base.own_file import own_file
from ressat.base.results_h5ad import Needs, read_results
from ressat.figures.tissue_map import SCALE_ENDS, SMALLEST_SCALE, bar_length, faded_tissue
from ressat.report import images

logger = logging.getLogger("ressat")

# Steps between a gene's lowest and highest value, more than the eye tells apart on a colour scale; the byte
# value that is left marks a missing value.
STEPS, NO_VALUE = 254, 255
# Longer edge of the tissue image below the spots, px; it is faded, and spots are drawn sharper than it is.
IMAGE_EDGE = 480
# What the page shows of a file of predictions.
NEEDS: Needs = {"obsm": ["spatial"], UNS: ["section", "fold", "mpp", "encoder"]}


@dataclass(frozen=True)
class Prediction:
    """One section's predictions of some genes, with what is needed to draw them.

    Attributes
    ----------
    record
        What ``uns['ressat']`` records.
    image
        Low-resolution image, uint8, shape (h, w, 3).
    centres, diameter
        Of the spots, in pixels of ``image``.
    um_per_px
        um per pixel of ``image``.
    predicted
        Headline layer, in the study's unit of expression, one column per gene that the model predicts.
    observed
        The same for measured values; None for a section without counts.
    """

    record: dict
    image: np.ndarray
    centres: np.ndarray
    diameter: float
    um_per_px: float
    predicted: pd.DataFrame
    observed: pd.DataFrame | None

    @classmethod
    def read(cls, path: str | Path, genes: Iterable[str]) -> "Prediction":
        """Read results/predictions/{fold}/{sample}.h5ad, with those of the genes that it has."""
        with own_file(path):
            adata = read_results(path, needs=NEEDS)
            record = dict(adata.uns[UNS])
            here = adata[:, [gene for gene in genes if gene in adata.var_names]]
            spatial = adata.uns["spatial"][record["section"]]
            scale = float(spatial["scalefactors"]["tissue_hires_scalef"])
            return cls(
                record,
                image=spatial["images"]["hires"],
                centres=adata.obsm["spatial"] * scale,
                diameter=float(spatial["scalefactors"]["spot_diameter_fullres"]) * scale,
                um_per_px=float(record["mpp"]) / scale,
                predicted=here.to_df(),
                observed=here.to_df(OBSERVED) if OBSERVED in adata.layers else None,
            )


def section_map(prediction: Prediction) -> dict:
    """Return what the page needs to draw values on a section: its image, cut to the spots, and their places.

    Returns
    -------
    dict
        ``section``, ``fold``, ``patient``, ``tested``; ``image`` (an address), ``width``, ``height``, px;
        ``spots``, their number; ``places``, base64 of float32 x and y in pixels of the image; ``diameter``,
        px; ``bar_um`` and ``bar_share``, length of a scale bar in um and as a share of the width.
    """
    grey, low = faded_tissue(prediction.image, prediction.centres, prediction.diameter)
    tissue = Image.fromarray(grey)
    scale = IMAGE_EDGE / max(tissue.size)
    width, height = (max(1, round(edge * scale)) for edge in tissue.size)
    width_um = width / scale * prediction.um_per_px
    bar_um = bar_length(width_um)
    record = prediction.record
    return {
        "section": record["section"],
        "fold": record["fold"],
        "patient": record["patient"],
        "tested": prediction.observed is not None,
        "image": images.data_uri(images.jpeg(tissue.resize((width, height), Image.Resampling.LANCZOS))),
        "width": width,
        "height": height,
        "spots": len(prediction.centres),
        "places": encoded(((prediction.centres - low) * scale).astype("<f4").tobytes()),
        "diameter": round(prediction.diameter * scale, 3),
        "bar_um": bar_um,
        "bar_share": round(bar_um / width_um, 4),
    }


def gene_pack(gene: str, predictions: Sequence[Prediction]) -> tuple[dict, str] | None:
    """Pack a gene's values on all sections for the page, rounded to `STEPS` between their lowest and highest.

    Parameters
    ----------
    gene
        Name.
    predictions
        With this gene or without it.

    Returns
    -------
    tuple of dict, str, or None
        ``observed`` and ``predicted``, for each its lowest value and step (value = lowest + step * byte);
        ``scale`` (both ends of their colour scale), ``own`` (those for predicted alone) and ``difference``
        (upper end of the scale of predicted minus observed); and base64 of the zlib-compressed
        bytes: section by section observed, where it was measured, and predicted, a byte a spot. None where
        no section has a value.
    """
    values: dict[str, list[np.ndarray]] = {OBSERVED: [], "predicted": []}
    for prediction in predictions:
        for kind, table in ((OBSERVED, prediction.observed), ("predicted", prediction.predicted)):
            missing = np.full(len(prediction.centres), np.nan)
            values[kind].append(
                missing if table is None or gene not in table else table[gene].to_numpy(dtype=float)
            )
    both = np.concatenate([*values[OBSERVED], *values["predicted"]])
    if not np.isfinite(both).any():
        return None
    differences = np.abs(np.concatenate(values["predicted"]) - np.concatenate(values[OBSERVED]))
    differences = differences[np.isfinite(differences)]
    about = {
        "scale": _ends(both),
        "own": _ends(np.concatenate(values["predicted"])),
        "difference": _ends(np.r_[0.0, differences])[1],
    }
    levels = {}
    for kind, tables in values.items():
        about[kind], levels[kind] = _rounded(tables)
    parts = [
        level
        for prediction, observed, predicted in zip(
            predictions, levels[OBSERVED], levels["predicted"], strict=True
        )
        for level in ([observed, predicted] if prediction.observed is not None else [predicted])
    ]
    return about, encoded(zlib.compress(np.concatenate(parts).tobytes(), 9))


def _ends(values: np.ndarray) -> list[float]:
    """Return both ends of a colour scale, also for a constant gene or one without values."""
    if not np.isfinite(values).any():
        return [0.0, SMALLEST_SCALE]
    low, high = np.nanpercentile(values, SCALE_ENDS)
    return [float(low), float(max(high, low + SMALLEST_SCALE))]


def _rounded(tables: Sequence[np.ndarray]) -> tuple[list[float], list[np.ndarray]]:
    """Return lowest value and step over some tables, and each table as bytes."""
    values = np.concatenate(tables)
    if not np.isfinite(values).any():
        return [0.0, 0.0], [np.full(len(table), NO_VALUE, np.uint8) for table in tables]
    low = float(np.nanmin(values))
    step = max(float(np.nanmax(values)) - low, 1e-6) / STEPS
    levels = [np.where(np.isnan(table), NO_VALUE, np.round((table - low) / step)) for table in tables]
    return [low, step], [level.astype(np.uint8) for level in levels]


def encoded(content: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(content).decode()


def genes_with_maps(ranking: Sequence[str], number: int, always: Sequence[str]) -> list[str]:
    """Choose the genes whose maps are shown: the first of the ranking, and those asked for by name.

    Parameters
    ----------
    ranking
        All genes that are predicted, those that matter most first.
    number
        How many genes of the ranking; those of ``always`` may come in addition.
    always
        Genes to show whatever their scores.
    """
    known, always = set(ranking), [gene_name(gene) for gene in always]
    missing = [gene for gene in always if gene not in known]
    if missing:
        logger.warning("report.always: not predicted in any section: %s", ", ".join(missing))
    return list(dict.fromkeys([*ranking[:number], *(gene for gene in always if gene in known)]))


def ranked_genes(usable_genes: pd.DataFrame | None, predictions: Sequence[str | Path]) -> list[str]:
    """Rank all genes that are predicted.

    Parameters
    ----------
    usable_genes
        results/evaluation/usable_genes.tsv, where the usable ones come first, then the better predicted; None
        where nothing was scored.
    predictions
        Files of all predictions.

    Returns
    -------
    list of str
        Scored genes in the order of their table; after them the others, by how much their prediction varies
        within a section.
    """
    scored = [] if usable_genes is None else usable_genes["gene"].drop_duplicates().tolist()
    spreads = [read_results(path).to_df().std(ddof=0) for path in predictions]
    if not spreads:
        return scored
    others = pd.concat(spreads, axis=1).mean(axis=1).drop(scored, errors="ignore")
    return [*scored, *others.sort_values(ascending=False, kind="stable").index]


def section_scores(
    per_gene: pd.DataFrame | None, headline: str, predictions: Sequence[Mapping]
) -> pd.DataFrame:
    """Return each gene's Pearson of the headline layer, a row per gene, a column per prediction.

    Parameters
    ----------
    per_gene
        results/evaluation/per_gene.tsv; None where nothing was scored.
    headline
        The headline layer.
    predictions
        With ``fold`` and ``section``; one that was not scored has a column of NaN.
    """
    places = pd.MultiIndex.from_tuples(
        [(p["fold"], p["section"]) for p in predictions], names=["fold", "section"]
    )
    if per_gene is None:
        return pd.DataFrame(columns=places)
    rows = per_gene[(per_gene["model"] == MODEL) & (per_gene["layer"] == headline)]
    return rows.pivot(index="gene", columns=["fold", "section"], values="pearson").reindex(columns=places)
