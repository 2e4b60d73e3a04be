"""Checking config and sheet against their JSON schemas, with messages for people."""

import difflib
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import yaml

from ressat.errors import InputError

# JSON takes 32.0 for a whole number, and has no words for infinity and not-a-number; YAML has.
TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    }
)
Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=TYPES)


def load_schema(path: str | Path) -> dict:
    """Read a JSON schema."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def check_yaml(path: str | Path) -> None:
    """Refuse a config file that is not a YAML mapping.

    Raises
    ------
    InputError
        Naming the line that cannot be read.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            "it cannot be read as YAML"
            + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""),
            expected="settings as in the pipeline's own config.yaml",
            action="correct the indentation, brackets and quotes there",
            file=path,
        ) from error
    if content is not None and not isinstance(content, dict):
        raise InputError(
            f"a {type(content).__name__}",
            expected="settings by name, as in the pipeline's own config.yaml",
            action="correct it",
            file=path,
        )


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
    errors = list(Validator(schema).iter_errors(content))
    if not errors:
        return
    # A misspelt name first: it explains why another is missing.
    error = min(errors, key=lambda error: error.validator != "additionalProperties")
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(name for name in error.instance if name not in known)
        nearest = _nearest(str(unknown), known, schema)
        raise InputError(
            f"the unknown name {'.'.join([*filter(None, [where]), str(unknown)])}",
            expected="one of " + ", ".join(known),
            action=f"did you mean {nearest}?" if nearest else "remove it",
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
        f"{where or 'the content'} is {json.dumps(error.instance, default=str)}",
        expected=error.schema.get("description", error.message),
        action="write a plain number, such as 0.0003, no quotes" if _is_quoted(error) else "correct it",
        file=file,
    )


def _nearest(unknown: str, known: list[str], schema: dict) -> str | None:
    """Return the name that was probably meant: one that is known there, else one known elsewhere."""
    elsewhere = {name.split(".")[-1]: name for name in _names(schema)}
    for names in (dict(zip(known, known, strict=True)), elsewhere):
        close = difflib.get_close_matches(unknown.lower(), names, n=1)
        if close:
            return names[close[0]]
    return None


def _names(schema: dict, prefix: str = "") -> Iterator[str]:
    """Names of all settings, those within a setting as ``setting.name``."""
    for name, part in schema.get("properties", {}).items():
        yield prefix + name
        yield from _names(part, f"{prefix}{name}.")


def _is_quoted(error: jsonschema.ValidationError) -> bool:
    """Whether text stands where a number belongs that YAML did not take for one, as 3e-4 or in quotes."""
    if error.validator_value not in ("number", "integer") or not isinstance(error.instance, str):
        return False
    try:
        return math.isfinite(float(error.instance))
    except ValueError:
        return False


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
