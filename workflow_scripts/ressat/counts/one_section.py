"""Whether the spots of a file are those of one section: two of them never share a place of the array."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from ressat.base.errors import InputError
from ressat.counts.barcodes import are_made_unique, barcode_parts, endings, may_be_made_unique
from ressat.counts.subset import EQUALS, counted, label_texts
from ressat.stats.neighbours import spot_pitch

logger = logging.getLogger("ressat")

LIBRARY = "library_id"
# Columns of obs that usually say which section a spot is of, in the order in which they are proposed.
SECTION_COLUMNS = (
    LIBRARY, "sample", "sample_id", "section", "section_id", "slide", "slide_id", "batch", "library",
    "dataset", "capture_area", "orig.ident",
)  # fmt: skip
# Columns of places, of which no value is a section.
PLACE_COLUMNS = {"in_tissue", "array_row", "array_col"}
ARRAY = ["array_row", "array_col"]
# A column with more values than this does not say which section a spot is of.
MOST_SECTIONS = 100
# On one array no spot is nearer to another than a pitch; of two arrays laid over each other, every spot is
# nearer than this to one of the other, wherever they lie (0.58 of a hexagonal array, 0.71 of a square one).
NEAR = 0.75
# Up to this share, spots that are so near, at one place or of one name may be mistakes in a single section;
# up to this number too.
FEW, FEW_SPOTS = 0.05, 10
# A column of any other name tells sections apart if the spots of each value are an array of their own, with
# neighbours at one distance: cells, or the spots of a cluster, are not. This many of a value are looked at.
REGULAR, MOSTLY_REGULAR, LOOKED_AT = 0.1, 0.8, 1000


@dataclass(frozen=True)
class _Spots:
    """What tells the spots of several sections apart: names, barcodes, places of the array, table columns."""

    names: pd.Index
    parts: pd.DataFrame | None
    array: pd.DataFrame | None
    labels: pd.DataFrame

    @property
    def endings(self) -> pd.Series | None:
        """Of the barcodes, where they are not all alike."""
        marks = None if self.parts is None else endings(self.parts)
        return marks if marks is not None and marks.nunique() > 1 else None

    @property
    def keys(self) -> list[pd.DataFrame]:
        """What no two spots of a section share."""
        tables = [pd.DataFrame({"name": self.names})]
        if self.parts is not None:
            tables.append(self.parts[["place"]])
        if self.array is not None:
            tables.append(self.array)
        return tables

    @property
    def libraries(self) -> int:
        """How many libraries the table names."""
        return label_texts(self.labels[LIBRARY]).nunique() if LIBRARY in self.labels else 0

    @property
    def is_one_section(self) -> bool:
        """Whether a column that usually says which section a spot is of has the same value for all."""
        texts = (label_texts(self.labels[name]) for name in SECTION_COLUMNS if name in self.labels)
        return any(text.nunique() == 1 and text.ne("").all() for text in texts)

    @property
    def repeated(self) -> int:
        """How many spots share a name; 0 where each of them has its own place."""
        if self.array is not None and not self.array.duplicated().any():
            return 0
        return int(self.names.duplicated(keep=False).sum())

    @property
    def crowded(self) -> int:
        """How many spots with different names share a place of the array."""
        if self.array is None:
            return 0
        return int(self.array[~self.names.duplicated()].duplicated(keep=False).sum())

    def are_many(self, number: int) -> bool:
        """Whether so many spots are more than mistakes in a single section."""
        return number > max(FEW_SPOTS, FEW * len(self.names))

    @property
    def places_shared(self) -> str:
        """How many spots share how many places, or names, as a clause."""
        if self.array is not None and self.array.duplicated().any():
            return f": {len(self.array)} spots on {len(self.array.drop_duplicates())} places of the array"
        if self.repeated:
            return f": {len(self.names)} spots with {self.names.nunique()} names"
        return ""

    def told_apart_by(self, values: pd.Series) -> bool:
        """Whether no two spots of the same value share what no two spots of a section share."""
        return not any(table.assign(value=values.to_numpy()).duplicated().any() for table in self.keys)


def refuse_several_sections(
    names: pd.Index, places: pd.DataFrame, labels: pd.DataFrame, *, subset: str | None, action: str
) -> None:
    """Refuse spots of several sections, whose places are of several slides.

    Parameters
    ----------
    names
        Names of the spots.
    places
        A row per spot, in the same order: array_row and array_col, x and y, as far as they are known.
    labels
        Columns of the file's table, likewise; without columns where the format has no table.
    subset
        The part that the sheet names, to which these spots belong; None for the whole file.
    action
        What to give instead, as an imperative.

    Raises
    ------
    InputError
        If spots share a name, a barcode or a place of the array, barcodes mix endings, or a column says that
        there are several sections. It names what tells them apart, and how the sheet names one of them.
    """
    spots = _Spots(names, barcode_parts(names), _known_array(places), labels.reset_index(drop=True))
    marks = spots.endings
    unique = marks is not None and are_made_unique(spots.parts)
    # Numbers that marked repeated barcodes stay on some spots of a part that a column names, whether the
    # sheet takes that part or someone wrote it to a file of its own.
    is_labelled = (subset is not None and EQUALS in subset) or spots.is_one_section
    mixes = marks is not None and not (is_labelled and may_be_made_unique(spots.parts))
    several = spots.libraries > 1 or mixes or spots.are_many(spots.repeated)
    overlaid = None if several or spots.crowded else _overlaid(spots, places)
    if not (several or spots.crowded or overlaid):
        if subset is None:
            _warn_of_several(spots)
        return
    by_endings = marks is not None and not unique
    column = overlaid or _column(spots, by_endings) or (LIBRARY if spots.libraries > 1 else None)
    is_usual = column in SECTION_COLUMNS
    if not (several or overlaid or is_usual or spots.are_many(spots.crowded)):
        raise _crowded(spots, action)
    told: list[str] = []
    examples: list[str] = []
    number = max(int(table.value_counts().max()) for table in spots.keys)
    if by_endings:
        is_before = spots.parts["behind"].nunique() == 1
        told.append(f"the {'beginnings' if is_before else 'endings'} of their barcodes ({counted(marks)})")
        examples += [mark for mark in sorted(set(marks)) if mark][-1:]
        number = marks.nunique()
    if column is not None:
        texts = label_texts(spots.labels[column])
        told.append(f"obs['{column}'] ({counted(texts)})")
        examples.insert(0, f"{column}{EQUALS}{texts.iloc[0]}")
        number = texts.nunique()
    where = "one file" if subset is None else f"the part {subset}"
    problem = f"{number} sections in {where}{spots.places_shared}, "
    problem += f"told apart by {' and by '.join(told)}" if told else "and nothing in it tells them apart"
    if examples:
        action += f", or name its part in the sheet's column subset, such as {' or '.join(examples)}"
    raise InputError(
        problem,
        expected="one section for each row of the sheet, since places are pixels of one slide",
        action=action,
    )


def _crowded(spots: _Spots, action: str) -> InputError:
    """Say which spots share a place, where they are so few that this may be a mistake in a single section."""
    shared = np.flatnonzero(spots.array.duplicated(keep=False))
    same = spots.array.iloc[shared].eq(spots.array.iloc[shared[0]]).all(axis=1)
    first = ", ".join(spots.names[shared[same.to_numpy()]][:2])
    return InputError(
        f"{len(shared)} of its {len(spots.names)} spots share places of the array (first: {first})",
        expected="each spot of a section at its own array_row and array_col",
        action=f"correct these; if they are of several sections, {action}",
    )


def _known_array(places: pd.DataFrame) -> pd.DataFrame | None:
    """Array positions; None where they are unknown, or all in one row or column, which no array is."""
    if not set(ARRAY) <= set(places.columns):
        return None
    array = places[ARRAY].reset_index(drop=True)
    return array if (array.nunique() > 1).all() else None


def _values(column: pd.Series) -> pd.Series | None:
    """A column's texts, if each spot has one, and there are several but not too many."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f" and (column % 1 != 0).any():
        return None
    texts = label_texts(column)
    return texts if 1 < texts.nunique() <= MOST_SECTIONS and texts.ne("").all() else None


def _column(spots: _Spots, by_endings: bool) -> str | None:
    """The column that tells the sections apart: one usual for it, else the one with the fewest values."""
    fitting: list[tuple[int, int, str]] = []
    for name in spots.labels.columns:
        texts = _values(spots.labels[name]) if name not in PLACE_COLUMNS else None
        if texts is None or not spots.told_apart_by(texts):
            continue
        if by_endings and (spots.endings.groupby(texts.to_numpy()).nunique() > 1).any():
            continue
        rank = SECTION_COLUMNS.index(name) if name in SECTION_COLUMNS else len(SECTION_COLUMNS)
        fitting.append((rank, texts.nunique(), str(name)))
    return min(fitting)[2] if fitting else None


def _overlaid(spots: _Spots, places: pd.DataFrame) -> str | None:
    """The column whose values are arrays that lie over each other, a usual one first; None without one."""
    if spots.array is not None or spots.parts is not None or not {"x", "y"} <= set(places.columns):
        return None
    coords = places[["x", "y"]].to_numpy(dtype=float)
    placed = np.isfinite(coords).all(axis=1)
    usual = [name for name in SECTION_COLUMNS if name in spots.labels]
    others = [name for name in spots.labels.columns if name not in {*usual, *PLACE_COLUMNS}]
    for name in usual + others:
        texts = _values(spots.labels[name])
        if texts is None:
            continue
        values = texts.to_numpy()[placed]
        if name in others and not _are_arrays(coords[placed], values):
            continue
        if _share_near(coords[placed], values) > FEW:
            return str(name)
    return None


def _are_arrays(coords: np.ndarray, values: np.ndarray) -> bool:
    """Tell whether the spots of each value lie at one distance from their neighbours."""
    for value in np.unique(values):
        group = coords[values == value]
        if len(group) <= FEW_SPOTS:
            return False
        distances = cKDTree(group).query(group[:: len(group) // LOOKED_AT + 1], k=2)[0][:, 1]
        pitch = np.median(distances)
        if (np.abs(distances - pitch) <= REGULAR * pitch).mean() < MOSTLY_REGULAR:
            return False
    return True


def _share_near(coords: np.ndarray, values: np.ndarray) -> float:
    """Share of the spots that lie nearer to a spot of another value than spots of an array lie."""
    groups = [coords[values == value] for value in np.unique(values)]
    if len(groups) < 2:
        return 0.0
    near = 0
    for at, group in enumerate(groups):
        others = np.concatenate(groups[:at] + groups[at + 1 :])
        pitch = spot_pitch(group)
        if pitch > 0:
            near += int((cKDTree(others).query(group)[0] < NEAR * pitch).sum())
    return near / len(coords)


def _warn_of_several(spots: _Spots) -> None:
    for name in SECTION_COLUMNS:
        texts = _values(spots.labels[name]) if name in spots.labels else None
        if texts is not None:
            logger.warning(
                "obs['%s'] has %d values (%s), and all spots are read: if they are of several sections, name "
                "the part in the sheet's column subset",
                name,
                texts.nunique(),
                counted(texts),
            )
            return
