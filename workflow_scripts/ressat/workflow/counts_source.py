"""Which files hold a section's counts, judged by their names alone. Standard library only."""

from pathlib import Path

from ressat.base.errors import InputError
from ressat.counts.format import CountsSource
from ressat.counts.formats.registry import FORMATS
from ressat.counts.other_data import refuse_other_file


def counts_source(path: Path, options: dict[str, str | int | Path]) -> CountsSource:
    """Tell the format of a section's counts, and list the files to read.

    Parameters
    ----------
    path
        The path in the sheet's column ``expression``.
    options
        What else the sheet says of the counts, by column; see `ressat.workflow.sheet.Section.counts_options`.

    Raises
    ------
    InputError
        If the format is unknown or one that cannot be read, the sheet lacks an option needed to read it, or
        the sheet gives an option that this format does not have.
    """
    refuse_other_file(path)
    formats = [FORMATS.load(name) for name in FORMATS.names]
    format = next((one for one in formats if one.recognises(path)), None)
    if format is None:
        titles = [one.title for one in reversed(formats)]
        raise InputError(
            f"a file of type {path.suffix or 'unknown'}",
            expected=f"{', '.join(titles[:-1])} or {titles[-1]}",
            action="correct the column expression",
        )
    for column, value in options.items():
        if column not in format.columns:
            users = " or ".join(one.title for one in formats if column in one.columns)
            raise InputError(
                f"{column} is {value}, and the counts are {format.title}",
                expected=f"{column} for {users} only",
                action=f"leave the column {column} empty for this section, or correct the column expression",
            )
    files = format.files(path, options)
    # Paths are already among the files, and are not options for reading them.
    read = {column: value for column, value in options.items() if not isinstance(value, Path)}
    return CountsSource(format.name, files, read)
