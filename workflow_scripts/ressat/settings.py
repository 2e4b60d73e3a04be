"""Checking config and sheet against their JSON schemas, with messages for people."""

import difflib
import json
import os
import re
from pathlib import Path

import jsonschema

from ressat.errors import InputError


def load_schema(path: str | Path) -> dict:
    """Read a JSON schema."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def check_schema(content: dict, schema: dict, file: str | Path) -> None:
    """Check settings against a schema.

    Parameters
    ----------
    content
        The settings, or a row of the sheet.
    schema
        Its JSON schema. A ``description`` beside a constraint is what the message says was expected.
    file
        Where the content comes from, for the message.

    Raises
    ------
    InputError
        For the most telling violation, naming the setting, what it is and what it should be; for an
        unknown name, the nearest valid one is proposed.
    """
    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if error is None:
        return
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(name for name in error.instance if name not in known)
        nearest = difflib.get_close_matches(str(unknown), known, n=1)
        raise InputError(
            f"the unknown name {'.'.join([*filter(None, [where]), str(unknown)])}",
            expected="one of " + ", ".join(known),
            action=f"did you mean {nearest[0]}?" if nearest else "remove it",
            file=file,
        )
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        raise InputError(
            f"{'.'.join([*filter(None, [where]), missing])} is missing",
            expected=error.schema["properties"][missing].get("description"),
            action="add it",
            file=file,
        )
    raise InputError(
        f"{where or 'the content'} is {json.dumps(error.instance)}",
        expected=error.schema.get("description", error.message),
        action="correct it",
        file=file,
    )


def expand_path(text: str, name: str, *, section: str | None = None, file: str | Path | None = None) -> str:
    """Replace environment variables and ``~`` in a path.

    Parameters
    ----------
    text
        The path as the user wrote it.
    name
        The setting or column it stands in, for the message; `section` and `file` too.

    Raises
    ------
    InputError
        If a variable is not set.
    """
    expanded = os.path.expandvars(os.path.expanduser(text))
    unknown = re.search(r"\$\{?(\w+)", expanded)
    if unknown:
        raise InputError(
            f"{name} is {text}, and the environment variable {unknown[1]} is not set",
            action=f"set {unknown[1]}, or write the path out",
            section=section,
            file=file,
        )
    return expanded
