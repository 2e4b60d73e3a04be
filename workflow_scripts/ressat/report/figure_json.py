"""What all charts of the report share: their style, and the JSON that plotly.js draws."""

import html
import json
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ressat.figures.palette import INK, QUIET

FONT = {"family": "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif", "size": 13, "color": INK}
AXIS = {
    "gridcolor": "#e3e8ec", "zeroline": False, "linecolor": QUIET, "ticks": "outside", "tickcolor": QUIET,
    "automargin": True, "title": {"standoff": 10, "font": {"size": 13}},
}  # fmt: skip
# Height of a row in the chart of sections, and of its axis and legend, in pixels.
ROW_PX, AROUND_PX = 30, 120


def literal(text: object) -> str:
    """Return text that plotly shows unchanged: it interprets some HTML tags in all text it draws."""
    return html.escape(str(text), quote=False)


def numbers(values: Sequence[float]) -> list[float | None]:
    """Return numbers for JSON, rounded to what can be seen; None for NaN, which JSON lacks."""
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def as_json(figure: go.Figure, height: int) -> str:
    """Give a figure the style of the page and a height, px, and return its JSON."""
    figure.update_xaxes(**AXIS)
    figure.update_yaxes(**AXIS)
    figure.update_layout(
        template="none", font=FONT, height=height, margin={"l": 60, "r": 20, "t": 40, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", hovermode="closest", dragmode=False,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )  # fmt: skip
    return json.dumps(json.loads(figure.to_json()), separators=(",", ":"))
