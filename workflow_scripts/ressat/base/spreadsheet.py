"""Text cells of tables that a spreadsheet would take for a formula, and run. Standard library only."""

# A cell that begins like this is a formula; the last four are the full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
MARK = "'"


def as_text(cell: str) -> str:
    """Return a text cell that no spreadsheet takes for a formula: one that looks like it gets an apostrophe.

    A cell that has the apostrophe already gets another, so that `restored` gives every text back.
    """
    return MARK + cell if cell.lstrip(MARK).startswith(FORMULA) else cell


def restored(cell: str) -> str:
    """Return the text that `as_text` was given."""
    return cell[len(MARK) :] if cell.startswith(MARK) and cell.lstrip(MARK).startswith(FORMULA) else cell
