"""What the report shows, gathered from the results' files, and the page made of it."""

import json
import math
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import jinja2
import numpy as np

from ressat import figures, keys
from ressat.files import check_version
from ressat.report_answer import Scores, label
from ressat.report_maps import SCALE_ENDS, Prediction
from ressat.results_h5ad import read_results
from ressat.tables import read_table
from ressat.tile_table import Tiles

# Of the tile overlays and stain previews, px.
OVERLAY_EDGE, PREVIEW_EDGE = 800, 1000
LIBRARIES = ("anndata", "h5py", "Jinja2", "matplotlib", "numpy", "pandas", "pillow")
TEMPLATES = Path(__file__).resolve().parent / "templates"


def read_quality(
    sample: str, about: Mapping, tiles: str, overlay: str, stain: str, preview: str, counts: str | None
) -> dict:
    """Gather what is known of one section's quality, and its pictures.

    Parameters
    ----------
    sample, about
        The section's name; its ``patient`` and ``role``.
    tiles, overlay, stain, preview
        Files of results/tiles and results/stain.
    counts
        results/expression/{sample}.h5ad; None for a section without counts.
    """
    table = Tiles.read(tiles)
    fitted = json.loads(Path(stain).read_text(encoding="utf-8"))
    check_version(fitted, stain)
    found = None
    if counts is not None:
        # Backed, because of the counts themselves nothing is shown.
        adata = read_results(counts, backed="r")
        found = {"genes": adata.n_vars, **adata.uns[keys.UNS]}
        adata.file.close()
    return {
        "sample": sample,
        **about,
        "counts": found,
        "tiles": len(table.coords),
        "tile_um": table.geometry.tile_um,
        "padded": table.edge_tiles,
        "tissue": float(table.tissue.mean()),
        "mpp": table.scale.mpp,
        "mpp_source": table.scale.source,
        "fingerprint": table.fingerprint,
        "stain": fitted,
        "overlay": figures.data_uri(figures.shrunk(overlay, OVERLAY_EDGE)),
        "preview": figures.data_uri(figures.shrunk(preview, PREVIEW_EDGE)),
    }


def histograms(scores: Scores, headline: str, watermark: str | None) -> list[dict]:
    """Draw the distribution of per-gene Pearson of every test section."""
    lead = (scores.per_gene["model"] == keys.MODEL) & (scores.per_gene["layer"] == headline)
    baselines = scores.per_section["model"] == keys.BASELINE
    medians = scores.per_section[baselines].pivot(
        index=["fold", "section"], columns="layer", values="median_pearson"
    )
    # Best first, the same in all sections: the order decides a baseline's mark.
    medians = medians[medians.mean().sort_values(ascending=False).index]
    # Zero is in view whatever the scores are.
    shown = np.r_[scores.per_gene.loc[lead, "pearson"], medians.to_numpy().ravel(), -0.1, 0.1]
    limits = float(np.nanmin(shown)), float(np.nanmax(shown))
    pictures = []
    for (fold, section), group in scores.per_gene[lead].groupby(["fold", "section"], sort=False):
        here = medians.loc[(fold, section)]
        picture = figures.pearson_histogram(
            group["pearson"].to_numpy(), here.rename(label).to_dict(), limits, label(headline), watermark
        )
        pictures.append({"fold": fold, "section": section, "src": figures.data_uri(picture)})
    return pictures


def training(fold: str, history: str | Path, watermark: str | None) -> dict:
    """Draw both stages of a fold's training, and name the step that was chosen."""
    table = read_table(history)
    selection, final = (table[table["stage"] == stage] for stage in ("selection", "final"))
    chosen = int(final["step"].max())
    return {
        "fold": fold,
        "chosen": chosen,
        "tried": int(selection["step"].max()),
        "selection": figures.data_uri(figures.training_curves(selection, chosen, watermark)),
        "final": figures.data_uri(figures.training_curves(final, None, watermark)),
    }


def shown_settings(config: Mapping) -> dict[str, dict[str, str]]:
    """Return settings as text, by group; of a path its file name alone, since the page is passed on."""

    def text(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(text(item) for item in value)
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "none"}[value]
        return re.split(r"[/\\]", str(value))[-1]

    single = {name: text(value) for name, value in config.items() if not isinstance(value, Mapping)}
    groups = {name: value for name, value in config.items() if isinstance(value, Mapping)}
    return {"study": single} | {
        group: {name: text(value) for name, value in values.items()} for group, values in groups.items()
    }


def models(predictions: Sequence[Prediction]) -> list[dict]:
    """Return what each fold's predictions record of their model, with the sections predicted."""
    by_fold: dict[str, dict] = {}
    for prediction in predictions:
        made = prediction.made
        trained_on = [str(name) for name in made["trained_on"]]
        row = by_fold.setdefault(made["fold"], {**made, "trained_on": trained_on, "sections": []})
        row["sections"].append(made["section"])
    return list(by_fold.values())


def render(**content: object) -> str:
    """Fill the template; every text is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["r"] = lambda value: "undefined" if math.isnan(value) else f"{value:.2f}"
    versions = {"Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return environment.get_template("report.html.j2").render(
        **content,
        colour_bar=figures.data_uri(figures.colour_bar()),
        unit=keys.EXPRESSION_UNIT,
        within_patient=keys.WITHIN_PATIENT,
        scale_ends=SCALE_ENDS,
        versions=versions,
    )
