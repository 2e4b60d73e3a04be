"""What the report shows, gathered from the results' files, and the page made of it."""

import base64
import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import itables
import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex
from plotly.offline import get_plotlyjs

from ressat.base import keys
from ressat.base.files import check_version
from ressat.base.results_h5ad import read_results
from ressat.figures.palette import CATEGORIES
from ressat.figures.tissue_map import SCALE_ENDS
from ressat.report import embedded
from ressat.report.genes import number
from ressat.report.maps import Prediction
from ressat.tiles.table import Tiles

# Of the tile overlays and stain previews, px.
OVERLAY_EDGE, PREVIEW_EDGE = 800, 1000
# What results depend on; with conda, those that only other steps use are not there.
LIBRARIES = (
    "anndata", "h5py", "itables", "matplotlib", "numpy", "openslide-python", "pandas", "plotly", "scanpy",
    "scikit-image", "scikit-learn", "scipy", "snakemake", "squidpy", "torch", "torchvision",
)  # fmt: skip
# Steps of the colour scales, more than the eye tells apart.
COLOUR_STEPS = 101
# Both scales are even to the eye and safe for colour blindness.
COLOURS = {
    "value": [to_hex(colour) for colour in colormaps["viridis"](np.linspace(0, 1, COLOUR_STEPS))],
    "difference": [to_hex(colour) for colour in colormaps["RdBu_r"](np.linspace(0, 1, COLOUR_STEPS))],
    "category": CATEGORIES,
}
CHART = """\
<div class="chart" id="{0}"></div>
<script type="application/json" id="{0}-data">{1}</script>
"""
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
        "tile_px": table.geometry.tile_px,
        "padded": table.edge_tiles,
        "tissue": float(table.tissue.mean()),
        "mpp": table.scale.mpp,
        "mpp_source": table.scale.source,
        "fingerprint": table.fingerprint,
        "stain": fitted,
        "overlay": embedded.data_uri(embedded.shrunk(overlay, OVERLAY_EDGE)),
        "preview": embedded.data_uri(embedded.shrunk(preview, PREVIEW_EDGE)),
    }


def training(fold: str, history: pd.DataFrame) -> dict:
    """Say at which step a fold's training ended, and among how many it was chosen.

    Parameters
    ----------
    fold
        Name.
    history
        results/folds/{fold}/history.tsv.
    """
    last = history.groupby("stage")["step"].max()
    return {"fold": fold, "chosen": int(last["final"]), "tried": int(last["selection"]), "history": history}


def counts_fingerprints(folds: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Return the SHA-256 of each section's counts, from results/folds/{fold}/sections.tsv of all folds."""
    return {row.section: row.counts_sha256 for table in folds for row in table.itertuples()}


def shown_settings(config: Mapping) -> dict[str, dict[str, str]]:
    """Return settings as text, by group; of a path its file name alone, since the page is passed on."""

    def text(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(text(item) for item in value) or "none"
        if isinstance(value, Mapping):
            return "; ".join(f"{name} {text(item)}" for name, item in value.items())
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "none"}[value]
        return re.split(r"[/\\]", str(value).rstrip("/\\"))[-1]

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


def render(charts: Mapping[str, str], page_data: Mapping, maps: Mapping[int, str], **content: object) -> str:
    """Fill the template; every text is escaped, and nothing but the page's own scripts may run.

    Parameters
    ----------
    charts
        Figures as plotly.js takes them, by the name of their place in the page.
    page_data
        What the page's own script reads: ``genes``, ``sections``.
    maps
        Packed maps by a gene's index in ``genes``.
    **content
        What else the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["r"] = number
    environment.globals["chart"] = lambda name: Markup(CHART).format(name, inert(charts[name]))
    # Of itables, which carries DataTables in one file; what it adds for notebooks is not needed.
    bundle = Path(itables.__file__).parent / "html"
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    versions = {"Python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return environment.get_template("report.html.j2").render(
        **content,
        colours=COLOURS,
        page_data=inert(json.dumps({**page_data, "colours": COLOURS, "unit": keys.EXPRESSION_UNIT})),
        maps=maps,
        style=Markup((bundle / "dt_bundle.css").read_text() + (TEMPLATES / "report.css").read_text()),
        table_code=base64.b64encode((bundle / "dt_bundle.js").read_bytes()).decode(),
        plotly_code=Markup(get_plotlyjs()),
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode(),
        unit=keys.EXPRESSION_UNIT,
        within_patient=keys.WITHIN_PATIENT,
        scale_ends=SCALE_ENDS,
        versions=versions,
    )


def inert(text: str) -> Markup:
    """Return JSON that no text in it can end early, for an element ``script`` that holds data."""
    return Markup(text.replace("<", "\\u003c"))
