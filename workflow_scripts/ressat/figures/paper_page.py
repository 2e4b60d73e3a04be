"""Figures as journals want them: their size in mm, their text, and the files they are written to."""

import io
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ressat.base.files import replacing
from ressat.figures.palette import INK, QUIET

# Widths of one and of two columns of a journal, mm.
ONE_COLUMN, TWO_COLUMNS = 85.0, 180.0
MM = 1 / 25.4
# Height of a panel as wide as a column, mm.
SQUARE = 82.0
# Sizes of text, and diameter of a point, in points.
TEXT, SMALL_TEXT, LETTER, POINT = 7.0, 6.5, 9.0, 3.0
# Height of a line of a legend, points.
LEGEND_LINE = 11.0
# Beyond this many points, pixels take less room in a file.
MOST_VECTORS = 2000
# Resolution of PNG files, and of what is drawn as pixels in PDF files.
PNG_DPI, PDF_DPI = 300, 400
LONGEST_NAME = 24


def journal_style() -> AbstractContextManager:
    """Return a context in which figures are drawn and written: sizes of text and lines, and text as text."""
    return matplotlib.rc_context(
        {
            # The font that comes with matplotlib, so that figures look the same on every machine.
            "font.family": "DejaVu Sans",
            "font.size": TEXT,
            "axes.titlesize": TEXT,
            "axes.labelsize": TEXT,
            "xtick.labelsize": SMALL_TEXT,
            "ytick.labelsize": SMALL_TEXT,
            "legend.fontsize": SMALL_TEXT,
            "legend.frameon": False,
            "legend.handlelength": 1.2,
            "legend.columnspacing": 1.2,
            "legend.handletextpad": 0.5,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            # Names of genes and patients are never read as formulas.
            "text.parse_math": False,
            # Whole TrueType fonts, whose text other programs can edit and search.
            "pdf.fonttype": 42,
        }
    )


def new_figure(width: float, height: float, **options: object) -> Figure:
    """Return an empty figure of a size in mm."""
    figure = Figure(figsize=(width * MM, height * MM), **options)
    # The canvas measures how large text is.
    FigureCanvasAgg(figure)
    return figure


def letter(index: int) -> str:
    """Return the letter of a panel, counted from 0."""
    return chr(ord("a") + index)


def shortened(name: str) -> str:
    """Return a name, cut off at its end if it is too long."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def square_panels(protocols: Sequence[str], legend_lines: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with a square panel for each protocol, in one or two columns of the page.

    Above each panel is room for its legend.
    """
    across, down = min(len(protocols), 2), math.ceil(len(protocols) / 2)
    figure = new_figure(ONE_COLUMN if across == 1 else TWO_COLUMNS, SQUARE * down, layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).ravel())
    for axes in panels[len(protocols) :]:
        axes.set_axis_off()
    for index, protocol in enumerate(protocols):
        head(panels[index], protocol, index if len(protocols) > 1 else None, 2 + LEGEND_LINE * legend_lines)
    return figure, panels[: len(protocols)]


def head(axes: Axes, protocol: str, index: int | None, above: float) -> None:
    """Write above a panel what its scores stand for, and its letter; ``above`` is in points."""
    how = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "baseline"}
    if index is not None:
        axes.annotate(letter(index), (0, 1), (-18, above), weight="bold", fontsize=LETTER, **how)
    axes.annotate(protocol, (0, 1), (0, above), **how)


def legend_above(axes: Axes, columns: int = 3) -> None:
    """Put the legend between a panel and its head, where it hides no point."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, ncols=columns)


def points_of(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, words: str) -> None:
    """Draw points of a colour, as pixels where there are thousands."""
    axes.scatter(
        x,
        y,
        s=POINT**2,
        color=colour,
        alpha=0.75,
        linewidths=0,
        label=words,
        rasterized=len(x) > MOST_VECTORS,
    )


def say(axes: Axes, sentence: str) -> None:
    """Write in the middle of a panel why nothing is drawn in it."""
    axes.text(
        0.5,
        0.5,
        sentence,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=QUIET,
        fontsize=SMALL_TEXT,
    )


def write_figure(figure: Figure, pdf: str | Path, png: str | Path, watermark: str | None) -> None:
    """Write a figure as PDF and as PNG, each as a whole; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        What is written.
    pdf, png
        The files.
    watermark
        Text laid across it, over and over down the page.
    """
    if watermark:
        _lay_across(figure, watermark)
    with replacing(pdf) as temporary:
        # Without its date, which would differ each time.
        figure.savefig(temporary, format="pdf", dpi=PDF_DPI, metadata={"CreationDate": None})
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PNG_DPI)
    with replacing(png) as temporary, Image.open(buffer) as image:
        image.convert("RGB").save(temporary, "PNG", dpi=(PNG_DPI, PNG_DPI), optimize=True)


def _lay_across(figure: Figure, watermark: str) -> None:
    width, height = figure.get_size_inches()
    times = max(1, round(height / width / 0.45))
    # As wide as the page, but no higher than a low one.
    size = min(5.2 * width, 16 * height)
    for y in (np.arange(times) + 0.5) / times:
        figure.text(
            0.5, y, watermark, fontsize=size, weight="bold", color="#b3261e", alpha=0.25, rotation=16,
            ha="center", va="center", zorder=10, in_layout=False,
        )  # fmt: skip
