"""The sample sheet: which sections a study has. Standard library and jsonschema only."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from ressat.base.errors import InputError, about, about_its_file
from ressat.base.names import alike_path_hint, name_key, opens_a_quote, unquoted
from ressat.base.roles import PREDICT
from ressat.workflow.settings import check_schema
from ressat.workflow.text_file import read_study_file
from ressat.workflow.user_paths import expand_path

# What a spreadsheet leaves in a cell that looks empty.
BLANK = {"", "NA", "NaN", "nan"}
# What leaves a section out, in the column include; the schema lists what may stand there.
NO = {"no", "false", "0"}
SAVE = "save it as tab-separated text in UTF-8"


@dataclass(frozen=True)
class Section:
    """One row of the sheet.

    Attributes
    ----------
    sample
        The section's name.
    slide
        The H&E image.
    expression
        Space Ranger folder, h5ad file, SpatialData zarr or counts table; None without counts.
    spots
        Spot table of legacy ST; None otherwise.
    patient
        The patient the section comes from; the sample where the sheet does not say.
    role
        ``train``, ``test`` or ``predict``.
    mpp
        um per pixel of the full-resolution image; None where the sheet does not say.
    bin_um
        Edge of the bins to read, for Visium HD; None otherwise.
    layer
        Layer of an h5ad file or of a SpatialData table that holds the counts; None for X.
    table, region
        Of SpatialData: the table to read, and the shapes element whose spots are this section; None where
        there is only one.
    subset
        The part of the counts that is this section: a column of obs and its value, or the ending of barcodes;
        None for all of them.
    features, patches
        Of features that were made elsewhere: their file, and the file that states the patches' size where
        theirs does not.
    include
        Whether the study uses the section at all.
    named
        The slide as the sheet names it, with the variables in its path.
    """

    sample: str
    slide: Path
    expression: Path | None
    spots: Path | None
    patient: str
    role: str
    mpp: float | None = None
    bin_um: int | None = None
    layer: str | None = None
    table: str | None = None
    region: str | None = None
    subset: str | None = None
    features: Path | None = None
    patches: Path | None = None
    include: bool = True
    named: str = field(default="", compare=False)

    @property
    def counts_options(self) -> dict[str, str | int | Path]:
        """What the sheet says about the counts apart from their path, by column."""
        names = ("spots", "bin_um", "layer", "table", "region", "subset")
        columns = {name: getattr(self, name) for name in names}
        return {name: value for name, value in columns.items() if value is not None}


def read_sheet(path: str | Path, schema: dict) -> dict[str, Section]:
    """Read and check the sample sheet.

    Parameters
    ----------
    path
        A tab-separated file with a header line.
    schema
        JSON schema of one row, as text values.

    Returns
    -------
    dict of str, Section
        By sample, in the sheet's order. Paths are relative to the sheet's folder, and environment
        variables in them are replaced.

    Raises
    ------
    InputError
        If the sheet cannot be read, or a row is not what the schema and the roles ask for.
    """
    sections: dict[str, Section] = {}
    for number, row in _rows(path, schema):
        check_schema(row, schema, file=f"{path}, line {number}")
        sample = row["sample"]
        if sample in sections:
            raise InputError(
                f"line {number} names section {sample} again",
                expected="each sample once",
                action="rename one of them",
                file=path,
            )
        with about(section=sample):
            sections[sample] = _section(Path(path), row, number)
    if not any(section.include for section in sections.values()):
        raise InputError(
            f"no section to include, of {len(sections)}" if sections else "no section",
            expected="at least one row below the header, with include yes or empty",
            action="set include to yes for the sections to use" if sections else "list the sections in it",
            file=path,
        )
    return sections


def _rows(path: str | Path, schema: dict) -> list[tuple[int, dict[str, str]]]:
    """Line numbers and cells by column, blanks left out."""
    try:
        text = read_study_file(path, expected="a tab-separated table", action=SAVE, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            "no such sample sheet",
            expected="a tab-separated table with the columns sample, slide, expression, patient, role",
            action=alike_path_hint(path) or "write it, or name it under samples: in config.yaml",
            file=path,
        ) from error
    if "\0" in text:  # UTF-16 without its mark passes for UTF-8
        raise InputError("not a text file in UTF-8", expected="a tab-separated table", action=SAVE, file=path)
    lines = [(number, _cells(line, number, path)) for number, line in enumerate(_lines(text), start=1)]
    lines = [(number, cells) for number, cells in lines if cells]
    if not lines:
        raise InputError(
            "an empty sample sheet",
            expected="a header and one row per section",
            action="list the sections in it",
            file=path,
        )
    (number, header), *rows = lines
    _check_header(header, schema, path, number)
    needed = 1 + max(header.index(name) for name in schema["required"])
    result = []
    for number, cells in rows:
        # Blank cells at the end are left out: a row is too short only where it lacks what every row needs.
        mixed = len(cells) < needed and any("," in cell for cell in cells)
        if len(cells) > len(header) or len(cells) == 1 or mixed:
            has_row_names = [row[0] for _, row in rows] == [str(1 + row) for row in range(len(rows))]
            raise InputError(
                f"line {number} has {len(cells)} cell{'s' * (len(cells) > 1)}, the header has {len(header)}",
                expected="one cell per column, separated by tabs",
                action="leave out the numbers of the rows (in R, write.table with row.names = FALSE)"
                if len(cells) == len(header) + 1 and has_row_names
                else "separate the cells by tabs, not by commas or spaces",
                file=path,
            )
        row = dict(zip(header, cells, strict=False))
        result.append((number, {name: cell for name, cell in row.items() if cell not in BLANK}))
    return result


def _lines(text: str) -> list[str]:
    r"""Lines of a text; only line ends part them, not characters such as U+2028 or ``\x0c`` within a cell."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _cells(line: str, number: int, path: str | Path) -> list[str]:
    """Cells of a line without quotes around them, nor the blank ones at its end, which spreadsheets add."""
    cells = line.split("\t")
    odd = next((cell for cell in cells if opens_a_quote(cell)), None)
    if odd is not None:
        raise InputError(
            f"line {number} has a quote that nothing closes, in the cell {odd.strip()}",
            expected="cells without quotes, or with one at either end, and no tab or line end within",
            action="remove the quotes, tabs and line ends from this cell",
            file=path,
        )
    # A cell of invisible characters alone is blank to whoever wrote it.
    cells = [cell if name_key(cell) else "" for cell in map(unquoted, cells)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _check_header(header: list[str], schema: dict, path: str | Path, number: int) -> None:
    """Refuse a header without tabs, with a repeated or unknown column, or without a required one."""
    if len(header) == 1:
        raise InputError(
            f"a header of one column, {header[0]!r}",
            expected="columns separated by tabs",
            action="save the sheet as tab-separated text",
            file=path,
        )
    twice = next((name for name in header if header.count(name) > 1 or not name), None)
    if twice is not None:
        raise InputError(
            f"the column {twice} is in the header twice" if twice else "a column without a name",
            expected="each column once, by its name",
            action="name it, or remove it",
            file=path,
        )
    columns = {name: {"description": part["description"]} for name, part in schema["properties"].items()}
    check_schema(dict.fromkeys(header), {**schema, "properties": columns}, f"{path}, line {number}")


@about_its_file
def _section(sheet: Path, row: dict[str, str], number: int) -> Section:
    role = row["role"]

    def path(column: str) -> Path | None:
        if column not in row:
            return None
        return sheet.parent / expand_path(row[column], column, base=sheet.parent)

    if role == PREDICT and "expression" in row:
        raise InputError(
            f"line {number} has role predict and names counts",
            expected="no expression for a section that is predicted only",
            action="set the role to test to score its prediction, or leave the column expression empty",
        )
    if role != PREDICT and "expression" not in row:
        raise InputError(
            f"line {number} has role {role} and no counts",
            expected="the column expression for sections that are trained or tested on",
            action="name the counts, or set the role to predict",
        )
    if role != PREDICT and "features" in row:
        raise InputError(
            f"line {number} has role {role} and names features that were made elsewhere",
            expected="the column features for sections with role predict alone, without counts",
            action="leave the column features empty: features of sections with counts are made here",
        )
    if "patches" in row and "features" not in row:
        raise InputError(
            f"line {number} names patches and no features",
            expected="patches beside features whose file does not say how large its patches are",
            action="name the features, or leave the column patches empty",
        )
    mpp = float(row["mpp"]) if "mpp" in row else None
    if mpp is not None and not 0 < mpp < math.inf:  # any number of digits passes the schema's pattern
        raise InputError(
            f"line {number}: mpp is {row['mpp'][:20]}..., which is too large or too small a number",
            expected="um per pixel of the full-resolution image, such as 0.5",
            action="correct it",
        )
    return Section(
        row["sample"],
        path("slide"),
        path("expression"),
        path("spots"),
        row.get("patient", row["sample"]),
        role,
        mpp=mpp,
        bin_um=int(row["bin_um"]) if "bin_um" in row else None,
        layer=row.get("layer"),
        table=row.get("table"),
        region=row.get("region"),
        subset=row.get("subset"),
        features=path("features"),
        patches=path("patches"),
        include=row.get("include", "yes").lower() not in NO,
        named=row["slide"],
    )
