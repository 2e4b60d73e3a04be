"""Maps of genes on the tissue for papers: observed, predicted and their difference, drawn by squidpy."""

import math
import textwrap
import warnings
from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ressat.figures.palette import INK, QUIET
from ressat.figures.paper_page import (
    LETTER,
    MM,
    ONE_COLUMN,
    SMALL_TEXT,
    TWO_COLUMNS,
    letter,
    new_figure,
    say,
    shortened,
)
from ressat.figures.section_maps import SectionMaps
from ressat.figures.tissue_map import SCALE_ENDS, SMALLEST_SCALE, bar_length

MOST_GENES = 6
# Colours of expression, and of differences, which are white at 0.
EXPRESSION_MAP, DIFFERENCE_MAP = "viridis", "RdBu_r"
PARTS = ("observed", "predicted", "difference")
# Margin of the page, and gaps between genes side by side, between genes one below the other, and between the
# maps of a gene, mm.
EDGE, BESIDE, BELOW, BETWEEN = 2.0, 7.0, 2.5, 1.5
# Lines of text above and below the maps, mm, and the height of a colour scale and of the tallest map.
LINE, TITLE, NAMES, SCALE, TICKS, TALLEST = 3.0, 4.5, 3.5, 1.6, 5.0, 34.0
SCALE_BAR = 0.8
# Width of a letter, mm.
LETTER_MM = 1.4


def maps(
    predictions: Sequence[anndata.AnnData],
    per_gene: pd.DataFrame,
    usable_genes: pd.DataFrame,
    number: int = MOST_GENES,
) -> Figure:
    """Draw some genes of one section of each protocol: observed, predicted and their difference.

    Parameters
    ----------
    predictions
        A tested section of each protocol, as results/predictions has it.
    per_gene, usable_genes
        The tables of results/evaluation.
    number
        How many genes, at most six, divided among the protocols: the best usable ones, or the best
        predicted where none is usable.
    """
    number = max(1, min(number, MOST_GENES) // len(predictions))
    sections = [SectionMaps.take(adata, per_gene, usable_genes, number) for adata in predictions]
    across = min(2, max(len(section.values) for section in sections)) or 1
    width = TWO_COLUMNS if across == 2 else ONE_COLUMN
    of_gene = (width - 2 * EDGE - BESIDE * (across - 1)) / across
    of_map = (of_gene - BETWEEN * (len(PARTS) - 1)) / len(PARTS)
    tall = [min(TALLEST, of_map * section.image_size[0] / section.image_size[1]) for section in sections]
    rows = [max(1, math.ceil(len(section.values) / across)) for section in sections]
    blocks = [TITLE + NAMES + height + 1 + SCALE + TICKS for height in tall]
    headings = [textwrap.wrap(section.heading, int((width - 2 * EDGE) / LETTER_MM)) for section in sections]
    height = sum(n * (block + BELOW) - BELOW for n, block in zip(rows, blocks, strict=True))
    height += sum(LINE * (len(lines) + 1) for lines in headings)
    page = _Page(new_figure(width, height + EDGE * (len(sections) + 1)))
    y, panel = EDGE, 0
    for section, lines, map_height, block in zip(sections, headings, tall, blocks, strict=True):
        for line in lines:
            page.text(EDGE, y + LINE / 2, line)
            y += LINE
        y += LINE
        if not section.values:
            say(page.axes(EDGE, y, width - 2 * EDGE, block), "No gene has a correlation.")
            y += block
        for index, gene in enumerate(section.values):
            if index and index % across == 0:
                y += block + BELOW
            x = EDGE + (index % across) * (of_gene + BESIDE)
            _draw_gene(page, section, gene, letter(panel), (x, y, of_map, map_height))
            panel += 1
        y += (block if section.values else 0) + EDGE
    return page.figure


class _Page:
    """A figure on which things are placed in mm from its top left corner."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.width, self.height = figure.get_size_inches() / MM

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add a panel without axis."""
        box = x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height
        axes = self.figure.add_axes(box)
        axes.set_axis_off()
        return axes

    def text(self, x: float, y: float, words: str, **how: object) -> float:
        """Write words in the middle of a line at ``y``, and return how wide they are."""
        how = {"va": "center_baseline", "fontsize": SMALL_TEXT, **how}
        text = self.figure.text(x / self.width, 1 - y / self.height, words, **how)
        return text.get_window_extent(self.figure.canvas.get_renderer()).width / self.figure.dpi / MM

    def bar(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a filled rectangle."""
        corner = x / self.width, 1 - (y + height) / self.height
        size = width / self.width, height / self.height
        self.figure.add_artist(Rectangle(corner, *size, color=INK, linewidth=0))


def _draw_gene(
    page: _Page, section: SectionMaps, gene: str, mark: str, place: tuple[float, float, float, float]
) -> None:
    """Draw the maps of a gene with their colour scales; ``place`` is x, y and the size of a map, mm."""
    x, y, width, height = place
    mm_per_px = section.mm_per_px(width, height)
    r = section.pearson[gene]
    score = "undefined" if math.isnan(r) else f"= {r:.2f}".replace("-", "\u2212")
    page.text(x, y + TITLE / 2, mark, weight="bold", fontsize=LETTER)
    page.text(x + 4, y + TITLE / 2, f"{shortened(gene)}   r {score}")
    length = bar_length(section.image_size[1] * section.um_per_px)
    words = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    long, end = length / section.um_per_px * mm_per_px, x + 3 * width + 2 * BETWEEN
    width_of_words = page.text(end, y + TITLE / 2, words, ha="right")
    page.bar(end - width_of_words - 1.2 - long, y + (TITLE - SCALE_BAR) / 2, long, SCALE_BAR)
    y += TITLE
    values = section.values[gene]
    scales = _scales(values)
    for index, (part, norm) in enumerate(zip(PARTS, scales, strict=True)):
        left = x + index * (width + BETWEEN)
        page.text(left + width / 2, y + NAMES / 2, part, ha="center")
        axes = page.axes(left, y + NAMES, width, height)
        if np.isnan(values[:, index]).all():
            say(axes, "not measured" if index == 0 else "")
            continue
        colours = DIFFERENCE_MAP if index == 2 else EXPRESSION_MAP
        _draw_map(axes, section, values[:, index], colours, norm, section.enlarged(mm_per_px))
    y += NAMES + height + 1
    # One colour scale for observed and predicted.
    _draw_scale(page, (x, y, 2 * width + BETWEEN, SCALE), scales[0], EXPRESSION_MAP)
    _draw_scale(page, (x + 2 * (width + BETWEEN), y, width, SCALE), scales[2], DIFFERENCE_MAP)


def _scales(values: np.ndarray) -> tuple[Normalize, Normalize, Normalize]:
    """Scales of colours: the same for observed and predicted, and one around 0 for their difference."""
    both = values[:, :2][np.isfinite(values[:, :2])]
    low, high = np.percentile(both, SCALE_ENDS) if both.size else (0.0, 0.0)
    away = np.abs(values[:, 2][np.isfinite(values[:, 2])])
    most = np.percentile(away, SCALE_ENDS[1]) if away.size else 0.0
    # A constant gene has colour scales too.
    expression, most = Normalize(low, max(high, low + SMALLEST_SCALE)), max(most, SMALLEST_SCALE)
    return expression, expression, Normalize(-most, most)


def _draw_map(
    axes: Axes, section: SectionMaps, values: np.ndarray, colours: str, norm: Normalize, enlarged: float
) -> None:
    # Imported here because it takes seconds, which charts need not wait for.
    with warnings.catch_warnings():
        # About the docstrings of its own functions.
        warnings.simplefilter("ignore", SyntaxWarning)
        import squidpy as sq

    # Under a fixed name, since a gene may share its name with something else that squidpy would draw.
    spots = anndata.AnnData(values[:, None], obs=section.tissue.obs, var=pd.DataFrame(index=["value"]))
    spots.obsm["spatial"], spots.uns["spatial"] = (
        section.tissue.obsm["spatial"],
        section.tissue.uns["spatial"],
    )
    with warnings.catch_warnings():
        # About its use of matplotlib.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        sq.pl.spatial_scatter(
            spots, color="value", ax=axes, fig=axes.figure, size=enlarged, cmap=colours, norm=norm,
            colorbar=False, title="", axis_label="", frameon=False, linewidths=0,
        )  # fmt: skip
    rows, columns = section.image_size
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    for part in (*axes.collections, *axes.images):
        part.set_rasterized(True)


def _draw_scale(page: _Page, place: tuple[float, float, float, float], norm: Normalize, colours: str) -> None:
    """Draw a colour scale, with a tip at either end because values beyond take its colour."""
    axes = page.axes(*place)
    axes.set_axis_on()
    scale = page.figure.colorbar(
        ScalarMappable(norm, colormaps[colours]), cax=axes, orientation="horizontal", extend="both"
    )
    scale.outline.set_linewidth(0.4)
    scale.outline.set_edgecolor(QUIET)
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.tick_params(length=1.5, pad=1.5)
