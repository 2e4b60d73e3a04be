"""Checking config and sheet against their JSON schemas, with messages for people."""

import json
import math
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsonschema
import yaml

from ressat.base.errors import InputError
from ressat.base.registry import nearest

# Longer values are cut in messages.
LONGEST_SHOWN = 200


def _is_number(value: object) -> bool:
    """Whether a value is a number that a float can hold: not infinite, not NaN, not of 400 digits."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


# JSON accepts 32.0 as a whole number, and has no infinity and NaN; YAML has both.
TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and _is_number(value),
        "number": lambda _, value: _is_number(value),
    }
)
Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=TYPES)


def load_schema(path: str | Path) -> dict:
    """Read a JSON schema."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def allow(schema: dict, setting: str, names: Sequence[str]) -> None:
    """Restrict a setting to some names, in its schema and in the schema's description.

    Parameters
    ----------
    schema
        Schema of the config; changed in place.
    setting
        Group and name, such as ``stain.method``.
    names
        The allowed values.
    """
    for part in setting.split("."):
        schema = schema["properties"][part]
    schema |= {"enum": list(names), "description": one_of(names)}


def described(schema: dict, setting: str) -> str:
    """Return the description of a setting, such as ``genes.list`` or ``features.encoders.0.weights``."""
    for part in setting.split("."):
        schema = schema["prefixItems"][int(part)] if part.isdecimal() else schema["properties"][part]
    return schema["description"]


def one_of(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def laid_over(defaults: str | Path, settings: dict) -> dict:
    """Return settings laid over a file of defaults: mappings are merged, all else is replaced."""

    def merged(below: object, above: object) -> object:
        if not isinstance(below, dict) or not isinstance(above, dict):
            return above
        return below | {name: merged(below.get(name), value) for name, value in above.items()}

    return merged(yaml.safe_load(Path(defaults).read_text(encoding="utf-8")), settings)


def check_schema(content: dict, schema: dict, file: str | Path) -> None:
    """Check settings against a schema.

    Parameters
    ----------
    content
        The settings, or a row of the sheet.
    schema
        Its JSON schema. A ``description`` next to a constraint is what the message says was expected.
    file
        Where the content comes from, for the message.

    Raises
    ------
    InputError
        For the most telling violation, naming the setting, what it is and what it should be; for an
        unknown name, the nearest valid one is proposed.
    """
    try:
        errors = list(Validator(schema).iter_errors(content))
    except (ValueError, RecursionError) as error:
        raise InputError(
            "a number of thousands of digits, or a value that contains itself",
            expected="settings as in the pipeline's own config.yaml",
            action="remove it",
            file=file,
        ) from error
    if not errors:
        return
    # A misspelt name first: it explains why another is missing.
    error = min(errors, key=lambda error: error.validator != "additionalProperties")
    where = _printable(".".join(str(part) for part in error.absolute_path))
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = _printable(str(next(name for name in error.instance if name not in known)))
        meant = _meant(unknown, known, schema)
        raise InputError(
            f"the unknown name {'.'.join([*filter(None, [where]), unknown])}",
            expected="one of " + ", ".join(known),
            action=f"did you mean {meant}?" if meant else "remove it",
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
        f"{where or 'the content'} is {excerpt(error.instance)}",
        expected=_expected(error),
        action=_remedy(error),
        file=file,
    )


def excerpt(value: object) -> str:
    """Return a value as JSON if it has such a form, cut to a length that fits a message."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = reprlib.repr(value)
    return _printable(text)


def _printable(text: str) -> str:
    """Text that any log can hold: YAML's escapes can produce lone surrogates."""
    cut = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return cut.encode("utf-8", "backslashreplace").decode()


def _expected(error: jsonschema.ValidationError) -> str:
    """The schema's description of a setting; without one, the allowed values."""
    if "description" in error.schema:
        return error.schema["description"]
    if error.validator == "enum":
        return "one of " + ", ".join(repr(value) for value in error.validator_value)
    return "settings by name" if error.validator_value == "object" else _printable(error.message)


def _remedy(error: jsonschema.ValidationError) -> str:
    """What to do about a value: for one that is nearly right, the nearest allowed one."""
    if error.validator == "enum" and isinstance(error.instance, str):
        meant = nearest(error.instance, [name for name in error.validator_value if isinstance(name, str)])
        return f"did you mean {meant}?" if meant else "correct it"
    return "write a plain number, such as 0.0003, no quotes" if _is_quoted(error) else "correct it"


def _meant(unknown: str, known: list[str], schema: dict) -> str | None:
    """Return the setting that was probably meant: one that is known there, else one known elsewhere."""
    elsewhere = {name.split(".")[-1]: name for name in _names(schema)}
    here, there = nearest(unknown, known), nearest(unknown, elsewhere)
    return here or (elsewhere[there] if there else None)


def _names(schema: dict, prefix: str = "") -> Iterator[str]:
    """Names of all settings, those within a setting as ``setting.name``."""
    for name, part in schema.get("properties", {}).items():
        yield prefix + name
        yield from _names(part, f"{prefix}{name}.")


def _is_quoted(error: jsonschema.ValidationError) -> bool:
    """Whether a value is a number that YAML read as text, such as 3e-4 or one in quotes."""
    if error.validator_value not in ("number", "integer") or not isinstance(error.instance, str):
        return False
    try:
        return math.isfinite(float(error.instance))
    except ValueError:
        return False
