"""The page: the template filled with what the report shows."""

import base64
import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import itables
import jinja2
import numpy as np
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex
from plotly.offline import get_plotlyjs

from ressat.evaluation.depth import FOLLOWS
from ressat.evaluation.protocol import WITHIN_PATIENT
from ressat.figures.palette import CATEGORIES
from ressat.figures.tissue_map import SCALE_ENDS
from ressat.report.genes import number, percent, signed
from ressat.report.words import number_of_genes

# Libraries that results depend on; with conda, those that only other steps use are not installed here.
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


def render(charts: Mapping[str, str], page_data: Mapping, maps: Mapping[int, str], **content: object) -> str:
    """Fill the template; every text is escaped, and nothing but the page's own scripts may run.

    Parameters
    ----------
    charts
        Figures as plotly.js takes them, by the name of their place in the page.
    page_data
        What the page's own script reads: ``genes``, ``sections``, ``watermark``, ``unit``.
    maps
        Packed maps by a gene's index in ``genes``.
    **content
        Everything else that the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"r": number, "signed": signed, "percent": percent, "genes": number_of_genes}
    environment.globals["chart"] = lambda name: Markup(CHART).format(name, inert(charts[name]))
    # From itables, which carries DataTables in one file; its additions for notebooks are not needed.
    bundle = Path(itables.__file__).parent / "html"
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    versions = {"Python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return environment.get_template("report.html.j2").render(
        **content,
        colours=COLOURS,
        page_data=inert(json.dumps({**page_data, "colours": COLOURS})),
        maps=maps,
        style=Markup((bundle / "dt_bundle.css").read_text() + (TEMPLATES / "report.css").read_text()),
        table_code=base64.b64encode((bundle / "dt_bundle.js").read_bytes()).decode(),
        plotly_code=Markup(get_plotlyjs()),
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode(),
        within_patient=WITHIN_PATIENT,
        follows=FOLLOWS,
        scale_ends=SCALE_ENDS,
        versions=versions,
    )


def inert(text: str) -> Markup:
    """Return JSON for a ``script`` element that holds data, so that no text in it can end the element."""
    return Markup(text.replace("<", "\\u003c"))
