"""Pictures of the report: charts as PNG, tissue as JPEG, both small enough to be embedded.

No text of the user's files is drawn: names stand beside a picture, in the page.
"""

import base64
import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform
from PIL import Image

# Okabe and Ito's palette, which colour-blind readers tell apart.
BLUE, VERMILION, INK = "#0072B2", "#D55E00", "#1b2733"
BASELINE_MARKS = (("#D55E00", "s"), ("#009E73", "D"), ("#E69F00", "^"), ("#CC79A7", "v"), ("#56B4E9", "P"))
COLOUR_MAP = "viridis"
# Charts are shown 300 to 450 CSS pixels wide: text of 9 points at 4 inches is readable at either.
CHART_INCHES, CHART_DPI = (4.0, 3.0), 220
MAP_EDGE_PX, MAP_DPI = 560, 100
NARROWEST_MAP_PX, SCALE_BAR_PX = 260, 44
# Share of the tissue's darkness that is left below the spots.
TISSUE_STRENGTH = 0.45
BIN_WIDTH = 0.05


def pearson_histogram(
    scores: np.ndarray,
    medians: Mapping[str, float],
    limits: tuple[float, float],
    model: str,
    watermark: str | None,
) -> bytes:
    """Draw how Pearson's r is distributed over the genes of one section.

    Parameters
    ----------
    scores
        r of each gene, shape (genes,); NaN is left out.
    medians
        Median r of each baseline, by its label; NaN is left out.
    limits
        Of the r axis, for all sections alike.
    model
        Label of what was scored.
    watermark
        Text laid across the picture.

    Returns
    -------
    bytes
        PNG.
    """
    scores = scores[np.isfinite(scores)]
    figure, axes = _chart("Pearson's r, one value per gene", "genes")
    bins = np.arange(math.floor(limits[0] / BIN_WIDTH), math.ceil(limits[1] / BIN_WIDTH) + 1) * BIN_WIDTH
    counts, _, _ = axes.hist(scores, bins=bins, color=BLUE, edgecolor="white", linewidth=0.5, alpha=0.75)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(bins[0], bins[-1])
    top = max(counts.max(initial=0), 1)
    axes.set_ylim(0, top * 1.3)
    axes.yaxis.get_major_locator().set_params(integer=True)
    if scores.size:
        median = float(np.median(scores))
        axes.axvline(median, color=BLUE, linewidth=1.8, label=f"{model}: median {median:.2f}")
    defined = {label: value for label, value in medians.items() if np.isfinite(value)}
    for index, (label, value) in enumerate(defined.items()):
        colour, marker = BASELINE_MARKS[index % len(BASELINE_MARKS)]
        # Spread in height, since baselines often share a median.
        height = top * (1.22 - 0.07 * (index % len(BASELINE_MARKS)))
        axes.plot(
            value, height, marker, color=colour, markersize=7, markeredgecolor=INK, markeredgewidth=0.5,
            label=f"{label}: {value:.2f}", linestyle="none", zorder=3,
        )  # fmt: skip
    if scores.size or defined:
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8, handlelength=1.2)
    return _png(figure, watermark)


def training_curves(history: pd.DataFrame, chosen: int | None, watermark: str | None) -> bytes:
    """Draw both loss terms of one stage of training.

    Parameters
    ----------
    history
        Columns step, learnt_direct, learnt_attended, held_back_direct, held_back_attended; the last
        two may be NaN.
    chosen
        The step that was chosen, marked by a line; None for no mark.
    watermark
        Text laid across the picture.

    Returns
    -------
    bytes
        PNG.
    """
    figure, axes = _chart("step", "mean squared error (z units)")
    for term, colour in (("direct", BLUE), ("attended", VERMILION)):
        for spots, style in (("learnt", "-"), ("held_back", "--")):
            losses = history[f"{spots}_{term}"]
            if losses.notna().any():
                # A dot, because a stage of one look has no line.
                marker = "o" if len(losses) == 1 else None
                label = f"{term}, {'learnt from' if spots == 'learnt' else 'held back'}"
                axes.plot(
                    history["step"], losses, style, color=colour, linewidth=1.5, marker=marker, label=label
                )
    if chosen is not None:
        axes.axvline(chosen, color=INK, linewidth=1, linestyle=":", label=f"stopping point: step {chosen}")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(
        loc="outside lower center", ncols=2, frameon=False, fontsize=8, handlelength=1.6, columnspacing=1.2
    )
    return _png(figure, watermark)


def expression_map(
    image: np.ndarray,
    centres: np.ndarray,
    diameter: float,
    values: np.ndarray,
    limits: tuple[float, float],
    um_per_px: float,
    watermark: str | None,
) -> bytes:
    """Draw one value per spot on the faded tissue, cut to the spots, with a scale bar.

    Parameters
    ----------
    image
        Low-resolution image, uint8, shape (h, w, 3).
    centres
        Of the spots, in pixels of ``image``, shape (n, 2).
    diameter
        Of a spot, in pixels of ``image``.
    values
        Shape (n,); NaN is not drawn.
    limits
        Values at both ends of the colour scale; values beyond take the end's colour.
    um_per_px
        um per pixel of ``image``.
    watermark
        Text laid across the picture.

    Returns
    -------
    bytes
        JPEG.
    """
    margin = max(diameter, 0.03 * np.ptp(centres, axis=0).max())
    low = np.floor(centres.min(axis=0) - diameter / 2 - margin).astype(int).clip(0)
    high = np.ceil(centres.max(axis=0) + diameter / 2 + margin).astype(int).clip(None, image.shape[1::-1])
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    scale = MAP_EDGE_PX / max(x1 - x0, y1 - y0)
    width, height = (x1 - x0) * scale, (y1 - y0) * scale
    # The scale bar stands below the tissue, so that it hides no spot.
    page = max(width, NARROWEST_MAP_PX), height + SCALE_BAR_PX
    figure = Figure(figsize=(page[0] / MAP_DPI, page[1] / MAP_DPI), dpi=MAP_DPI)
    axes = figure.add_axes((0, SCALE_BAR_PX / page[1], width / page[0], height / page[1]))
    axes.set_axis_off()
    # Grey and light, so that the only colours are those of the colour scale.
    grey = np.asarray(Image.fromarray(image[y0:y1, x0:x1]).convert("L"))
    axes.imshow(
        255 - (255 - grey.astype(float)) * TISSUE_STRENGTH,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(x0, x1, y1, y0),
    )
    spots = EllipseCollection(
        diameter, diameter, 0, units="xy", offsets=centres, offset_transform=axes.transData,
        cmap=COLOUR_MAP, norm=Normalize(*limits), linewidths=0,
    )  # fmt: skip
    spots.set_array(np.ma.masked_invalid(values))
    axes.add_collection(spots, autolim=False)
    axes.set(xlim=(x0, x1), ylim=(y1, y0))
    _scale_bar(figure, width, um_per_px / scale)
    # Full resolution of colour, because spots are a few pixels wide.
    return _encoded(_image(figure, watermark), "JPEG", quality=80, optimize=True, subsampling=0)


def colour_bar() -> bytes:
    """Draw the colour scale of `expression_map` from its low to its high end, as PNG."""
    colours = (colormaps[COLOUR_MAP](np.linspace(0, 1, 256))[None, :, :3] * 255).round().astype(np.uint8)
    return _encoded(Image.fromarray(colours), "PNG", optimize=True)


def shrunk(path: str | Path, edge: int) -> bytes:
    """Return a picture file as JPEG whose longer edge has at most ``edge`` pixels."""
    with Image.open(path) as image:
        image = image.convert("RGB")
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return _encoded(image, "JPEG", quality=80, optimize=True)


def data_uri(picture: bytes) -> str:
    """Return a PNG or JPEG as the address of an image that stands in the page itself."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def bar_length(width_um: float) -> float:
    """Return the longest round length (1, 2 or 5 times a power of ten) within a third of a width, um."""
    third = width_um / 3
    power = 10.0 ** math.floor(math.log10(third))
    return max(step for step in (1, 2, 5) if step * power <= third) * power


def _scale_bar(figure: Figure, width: float, um_per_px: float) -> None:
    """Draw a scale bar below a map of ``width`` pixels; ``um_per_px`` is that of the picture."""
    length = bar_length(width * um_per_px)
    pixels = length / um_per_px
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    middle, unit = SCALE_BAR_PX / 2, IdentityTransform()
    figure.add_artist(Rectangle((2, middle - 4), pixels, 7, color=INK, linewidth=0, transform=unit))
    figure.text(pixels + 12, middle, text, fontsize=21, color=INK, va="center_baseline", transform=unit)


def _chart(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=CHART_INCHES, dpi=CHART_DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _image(figure: Figure, watermark: str | None) -> Image.Image:
    if watermark:
        figure.text(
            0.5, 0.55, watermark, fontsize=figure.get_figwidth() * 5, weight="bold", color="#b3261e",
            alpha=0.3, rotation=18, ha="center", va="center",
        )  # fmt: skip
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _png(figure: Figure, watermark: str | None) -> bytes:
    # A chart has few colours: a palette shows them in a third of the bytes. The method keeps rare ones.
    image = _image(figure, watermark)
    return _encoded(image.quantize(128, method=Image.Quantize.MAXCOVERAGE), "PNG", optimize=True)


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
