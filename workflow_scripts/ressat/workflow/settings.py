"""Checking config and sheet against their JSON schemas, with messages for people."""

import difflib
import json
import math
import os
import re
import reprlib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import yaml

from ressat.base.errors import InputError

# Longer values are cut in messages.
LONGEST_SHOWN = 200
# A zero byte and halves of characters, which YAML's escapes can give, stand in no path.
NO_PATH = "[\\0\\ud800-\\udfff]"


def _is_number(value: object) -> bool:
    """Whether a value is a number with a place among floats: not infinite, no NaN, not of 400 digits."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


# JSON takes 32.0 for a whole number, and has no words for infinity and not-a-number; YAML has.
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


class _Loader(yaml.SafeLoader):
    """Says where a value stands that only looks like a date or a number, or a name that stood before."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names: set[str] = set()
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value in names:
                    raise yaml.constructor.ConstructorError(
                        problem=f"{name.value} stands there twice", problem_mark=name.start_mark
                    )
                names.add(name.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise yaml.constructor.ConstructorError(
                problem=str(error), problem_mark=node.start_mark
            ) from error


def check_yaml(path: str | Path) -> None:
    """Refuse a config file that is not a YAML mapping.

    Raises
    ------
    InputError
        Naming the line that cannot be read.
    """
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
        json.dumps(content, default=str, skipkeys=True)  # fails where an alias names what it stands in
    except OSError as error:
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected="a text file of settings",
            action="correct its path or permissions",
            file=path,
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            "not a text file in UTF-8",
            expected="settings as in the pipeline's own config.yaml",
            action="save it as text in UTF-8",
            file=path,
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            "it cannot be read as YAML"
            + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")
            + (f": {error.problem}" if getattr(error, "problem", None) else ""),
            expected="settings as in the pipeline's own config.yaml",
            action="correct the indentation, brackets and quotes there",
            file=path,
        ) from error
    if content is not None and not isinstance(content, dict):
        raise InputError(
            "a list" if isinstance(content, list) else f"one value, {_shown(content)}",
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
    try:
        errors = list(Validator(schema).iter_errors(content))
    except (ValueError, RecursionError) as error:
        raise InputError(
            "a number of thousands of digits, or a value within itself",
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
        nearest = _nearest(unknown, known, schema)
        raise InputError(
            f"the unknown name {'.'.join([*filter(None, [where]), unknown])}",
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
        f"{where or 'the content'} is {_shown(error.instance)}",
        expected=_expected(error),
        action="write a plain number, such as 0.0003, no quotes" if _is_quoted(error) else "correct it",
        file=file,
    )


def _shown(value: object) -> str:
    """A value as JSON where it has such a form, cut to what a message has room for."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = reprlib.repr(value)
    return _printable(text)


def _printable(text: str) -> str:
    """Text that any log can hold: YAML's escapes can give halves of characters."""
    cut = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return cut.encode("utf-8", "backslashreplace").decode()


def _expected(error: jsonschema.ValidationError) -> str:
    """What the schema says of a setting; of one that it does not describe, what may stand there."""
    if "description" in error.schema:
        return error.schema["description"]
    if error.validator == "enum":
        return "one of " + ", ".join(repr(value) for value in error.validator_value)
    return "settings by name" if error.validator_value == "object" else _printable(error.message)


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
        If a variable is not set, or the text cannot be a path.
    """
    if re.search(NO_PATH, text):
        raise InputError(
            f"{name} is {text!a}, which no file can be called",
            expected="a path",
            action="correct it",
            section=section,
            file=file,
        )
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
