"""How the patches of a file lie on the slide."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ressat.base.errors import InputError

# Attributes of a file's datasets, by the dataset's name.
Attributes = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class PatchLayout:
    """How the patches of a file lie on the slide.

    Attributes
    ----------
    edge
        Edge of a patch in level-0 pixels.
    centred
        Whether a coordinate is a patch's centre; else its corner at the top left.
    rows_first
        Whether y stands before x.
    slide_size
        Width and height of the slide's level 0 in pixels; None where the file does not say.
    slack
        By how many pixels these may be off.
    """

    edge: float
    centred: bool = False
    rows_first: bool = False
    slide_size: tuple[float, float] | None = None
    slack: float = 0.0

    def centres(self, coords: np.ndarray) -> np.ndarray:
        """Return level-0 x and y of the patches' centres, float64, from the file's coordinates (n, 2)."""
        xy = coords[:, ::-1] if self.rows_first else coords
        return xy.astype(np.float64) + (0 if self.centred else self.edge / 2)


def numbers(attributes: Mapping[str, object], name: str, count: int = 1) -> tuple[float, ...]:
    """Return an attribute that holds positive numbers, once or for each axis.

    Parameters
    ----------
    attributes
        Of a dataset.
    name
        The attribute's.
    count
        How many numbers there are; a single one stands for all.

    Raises
    ------
    InputError
        If it is missing, or holds something else.
    """
    found = attributes.get(name)
    try:
        values = np.broadcast_to(np.atleast_1d(np.asarray(found, dtype=np.float64)), (count,))
    except (TypeError, ValueError):
        values = np.zeros(count)
    if not ((values > 0) & np.isfinite(values)).all():
        raise InputError(
            f"the attribute {name} of its patches is {'missing' if found is None else found}",
            expected=f"{'a number' if count == 1 else f'{count} numbers'} above 0",
            action="make the file again with the software that wrote it",
        )
    return tuple(values.tolist())
