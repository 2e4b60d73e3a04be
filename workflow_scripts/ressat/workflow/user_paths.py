"""Paths as users write them: the file is the one that the system finds by them, whatever is in its name."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from ressat.base.errors import InputError

# No path can contain a zero byte or a lone surrogate, which YAML's escapes can produce.
NO_PATH = "[\\0\\ud800-\\udfff]"
# $NAME and ${NAME}; and $$ before such a name, for a $ that is part of a path. As in a shell, no variable's
# name begins with a digit.
VARIABLE = re.compile(r"\$\$(?=[A-Za-z_{])|\$(?P<bare>[A-Za-z_]\w*)|\$\{(?P<braced>[^{}]*)\}", re.ASCII)
# How a path is marked that Snakemake must leave as it is.
LITERAL = "literal"


def expand_path(text: str, name: str, base: str | os.PathLike = ".") -> str:
    """Replace environment variables, and ``~`` at the beginning, in a path.

    A ``$`` that begins no variable's name stays as it is, and ``$$`` before a name stands for one ``$``.
    ``..`` is left to the system: behind a folder that is a link, it leads to where that link points.

    Parameters
    ----------
    text
        The path as the user wrote it.
    name
        The setting or column it stands in, for the message.
    base
        The folder that the path is relative to.

    Raises
    ------
    InputError
        If a variable is not set, and no file has the path as it is written; or if the text cannot be a path.
    """
    if re.search(NO_PATH, text):
        raise InputError(
            f"{name} is {text!a}, which cannot be a path",
            expected="a path",
            action="correct it",
        )
    unset: list[str] = []

    def value(match: re.Match[str]) -> str:
        variable = match["bare"] or match["braced"]
        if not variable:
            return "${}" if match[0] == "${}" else "$"
        if variable not in os.environ:
            unset.append(variable)
            return match[0]
        return os.environ[variable]

    home, slash, rest = text.partition("/") if text.startswith("~") else ("", "", text)
    expanded = os.path.expanduser(home) + slash + VARIABLE.sub(value, rest)
    if unset and not os.path.lexists(Path(base) / expanded):
        raise InputError(
            f"{name} is {text}, and the environment variable {unset[0]} is not set",
            action=f"set {unset[0]}, or write the path out; a $ that is part of a name may be written as $$",
        )
    return expanded


def absolute(path: str | os.PathLike) -> str:
    """Return a path from the root on, without resolving ``..`` by its text as `os.path.abspath` does."""
    return os.path.join(os.getcwd(), path)


def literal(path: str | os.PathLike) -> str:
    """Mark a path of which Snakemake shall read nothing as a wildcard or a path variable.

    See `keep_literal_paths`.
    """
    from snakemake.io import flag

    return flag(os.fspath(path), LITERAL)


def keep_literal_paths() -> None:
    """Make Snakemake leave paths alone that `literal` has marked.

    Snakemake knows no way to escape braces: of an input ``slides/{sample}.tiff`` it puts the value of the
    wildcard in their place, even if a file has that very name, and takes ``<logs>`` for a path variable.
    """
    from snakemake import io, pathvars

    def unless_literal(method: Callable, position: int) -> Callable:
        if hasattr(method, LITERAL):  # a module and its importer share Snakemake
            return method

        def wrapper(*arguments: object) -> object:
            path = arguments[position]
            return path if io.is_flagged(path, LITERAL) else method(*arguments)

        setattr(wrapper, LITERAL, True)
        return wrapper

    io._IOFile.apply_wildcards = unless_literal(io._IOFile.apply_wildcards, 0)
    pathvars.Pathvars.apply = unless_literal(pathvars.Pathvars.apply, 1)
