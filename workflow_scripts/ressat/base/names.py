"""Names as people compare them: without what nobody sees, or can type. Standard library only."""

import os
import unicodedata
from collections.abc import Iterable

# Characters without a mark of their own outside the categories of those, Cc and Cf: the rest of Unicode's
# Default_Ignorable_Code_Point (variation selectors, joiners, fillers), and the empty Braille pattern.
_IGNORABLE = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065)),
    *((0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    (0xE0000, 0xE0FFF),
)
# Spreadsheets and word processors choose the kind of dash and apostrophe themselves.
_DASHES, _APOSTROPHES = "\u2212", "\u2018\u2019\u02bc\u0060\u00b4"
# Quotes around a cell: what R and Excel write, and what Word makes of it.
_QUOTES = {'"': '"', "\u201c": "\u201d"}


def name_key(name: str) -> str:
    """Return what is the same for names that are equal in all but form.

    The form is the encoding of characters (Unicode's NFKC), upper and lower case, blanks, invisible
    characters, and the kind of dash and apostrophe. For names of patients, sections and files; two genes may
    differ in case alone (the fruit fly's *dl* and *Dl*), see `gene_name`.
    """
    text, before = name, ""
    # Until nothing changes: what stood between a letter and its accent had kept the two from being composed.
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", _without_invisible(text)).casefold()
        text = "".join(map(_plain, unicodedata.normalize("NFKC", _without_invisible(text))))
    return text


def gene_name(name: str) -> str:
    """Return a gene's name in Unicode's form NFKC, without invisible characters and blanks around it.

    Its case is kept.
    """
    if name.isascii() and name.isprintable():
        return name.strip()
    return unicodedata.normalize("NFKC", _without_invisible(name, blanks=False)).strip()


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of names that differ in form alone, each with the first of its kind."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(name_key(name), name), name) for name in dict.fromkeys(names)]
    return [(one, other) for one, other in pairs if one != other]


def visible(text: str) -> str:
    r"""Return a text with escapes, such as ``\u200b``, for characters that nobody sees.

    Blanks other than the plain one, which look like it, are escaped too; line ends and tabs are kept.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if char not in "\n\r\t" and _is_unseen(char) else char for char in text)


def has_control(text: str) -> bool:
    """Tell whether there are control characters, line ends or halves of characters in a text."""
    return any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text)


def spelled_out(name: str) -> str:
    """Return a name in quotes, with escapes for all by which it may differ from one that looks like it.

    Besides invisible characters these are accents apart from their letter, and letters that are another form
    of a common one.
    """
    unlike = (
        _is_unseen(char)
        or unicodedata.category(char).startswith("M")
        or (not char.isascii() and unicodedata.normalize("NFKC", char) != char)
        for char in name
    )
    return "'" + "".join(_escape(c) if odd else c for c, odd in zip(name, unlike, strict=True)) + "'"


def unquoted(cell: str) -> str:
    """Return a table's cell without blanks around it, and without quotes, which R and Excel write."""
    cell = cell.strip()
    if len(cell) < 2 or _QUOTES.get(cell[0]) != cell[-1]:
        return cell
    return cell[1:-1].replace('""', '"').replace('\\"', '"').strip()


def opens_a_quote(cell: str) -> bool:
    """Tell whether a cell begins with a quote that does not end it."""
    cell = cell.strip()
    return cell[:1] in _QUOTES and unquoted(cell) == cell


def alike_path(path: str | os.PathLike) -> str | None:
    """Find what a missing path probably means: one that differs from it in form alone.

    Parameters
    ----------
    path
        A path to nothing.

    Returns
    -------
    str or None
        The path as it is on disk, up to the first folder or file whose name has another form; None if there
        is no such name, or several.
    """
    missing = os.fspath(path)
    folder, name = os.path.split(missing.rstrip("/"))
    # The first part of the path that is missing, in a folder that is there.
    while name and folder and not os.path.lexists(folder):
        missing = folder
        folder, name = os.path.split(missing)
    try:
        present = os.listdir(folder or ".")
    except (OSError, ValueError):
        return None
    same = [
        [other for other in present if form(other) == form(name)]
        for form in (lambda text: unicodedata.normalize("NFC", text), name_key)
    ]
    likely = next((others for others in same if others and others != [name]), [])
    return os.path.join(folder, likely[0]) if len(likely) == 1 else None


def alike_path_hint(path: str | os.PathLike) -> str | None:
    """Say what a missing path probably means, as what to do about it; None if nothing is like it."""
    other = alike_path(path)
    if other is None:
        return None
    depth = len(other.split(os.sep))
    same = os.sep.join(os.fspath(path).split(os.sep)[:depth])
    return (
        f"{spelled_out(other)} is there, and differs from {spelled_out(same)} in form alone (case, blanks, "
        "accents, dashes or invisible characters): write that name, or rename the file"
    )


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden, such as those that macOS leaves beside others (``._*``)."""
    return name.startswith(".")


def _without_invisible(text: str, *, blanks: bool = True) -> str:
    if text.isascii() and text.isprintable():
        return text.replace(" ", "") if blanks else text
    return "".join(char for char in text if not (_is_invisible(char) or (blanks and char.isspace())))


def _is_unseen(char: str) -> bool:
    # A lone surrogate stands for a byte of a file's name that is no UTF-8, and cannot be printed.
    return _is_invisible(char) or (char.isspace() and char != " ") or unicodedata.category(char) == "Cs"


def _is_invisible(char: str) -> bool:
    if char.isspace():
        return False
    if unicodedata.category(char) in ("Cc", "Cf"):
        return True
    return any(first <= ord(char) <= last for first, last in _IGNORABLE)


def _plain(char: str) -> str:
    if char in _DASHES or unicodedata.category(char) == "Pd":
        return "-"
    return "'" if char in _APOSTROPHES else char


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
