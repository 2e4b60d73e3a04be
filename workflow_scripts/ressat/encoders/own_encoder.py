"""An encoder of the user's own: what its file says of it, read without running the file.

docs/encoders.md has the contract. Workflows are parsed where there is no torch, so a class says in constants
what has to be known before it is loaded. `ressat.encoders.families.own` runs it. Standard library only.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.encoders.encoder import BF16, FP32, Encoder
from ressat.encoders.registry import ENCODERS

# How the setting ``features.encoder`` of an encoder of one's own ends, and its name in provenance.
SUFFIX = ".py"
CONTRACT = "docs/encoders.md has the contract"
# The constant that makes a class an encoder.
LAYERS = "layers"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
WIDEST = 1_000_000


@dataclass(frozen=True)
class Constant:
    """A constant of the class.

    Attributes
    ----------
    test
        Whether a value may be it.
    words
        What it must be.
    default
        Its value where the class has none.
    required
        Whether the class must have it.
    """

    test: Callable[[object], bool]
    words: str
    default: object = None
    required: bool = False


def _is_number(value: object, least: float, most: float) -> bool:
    # No number that is not finite lies between.
    return type(value) in (int, float) and least <= value <= most


def _is_colour(value: object, least: float) -> bool:
    return isinstance(value, tuple | list) and len(value) == 3 and all(_is_number(x, least, 1) for x in value)


def _are_widths(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and NAME.fullmatch(name) and name != "colour" for name in value)
        and all(type(width) is int and 1 <= width <= WIDEST for width in value.values())
    )


def _are_names(value: object) -> bool:
    return (
        isinstance(value, tuple | list)
        and bool(value)
        and all(isinstance(name, str) for name in value)
        and len(set(value)) == len(value)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _text(default: str) -> Constant:
    return Constant(_is_text, "text", default)


LAYER_NAMES = Constant(_are_names, "a tuple of names of its layers")
CONSTANTS = {
    LAYERS: Constant(_are_widths, "widths by name, such as {'class_token': 1024}", required=True),
    "mean": Constant(lambda value: _is_colour(value, 0), "three numbers from 0 to 1", required=True),
    "sd": Constant(lambda value: _is_colour(value, 1e-3), "three numbers from 0.001 to 1", required=True),
    "default_layers": LAYER_NAMES,
    "hest_layers": LAYER_NAMES,
    "px": Constant(
        lambda value: value is None or (type(value) is int and 8 <= value <= 4096),
        "a whole number of pixels from 8 to 4096, or None for tiles as they are",
    ),
    "tile_um": Constant(lambda value: value is None or _is_number(value, 1, 1e5), "um, 1 to 100000, or None"),
    "precision": Constant(lambda value: value in (BF16, FP32), f"{BF16!r} or {FP32!r}", FP32),
    "title": _text(""),
    "words": _text(""),
    "citation": _text("An encoder of the study's own, not published."),
    "licence": _text("not stated"),
    "page": _text("not stated"),
}


def read_own_encoder(file: str | Path) -> Encoder:
    """Read what a file says of the encoder in it.

    Parameters
    ----------
    file
        A Python file with one class that has the constant ``layers``; it is not run.

    Returns
    -------
    Encoder
        Named after the file.

    Raises
    ------
    InputError
        If the file cannot be read, has no such class or several, or a constant is missing or odd.
    """
    path = Path(file)
    with about(file=file):
        _check_name(path.stem)
        found = _constants(_class(path))
        values = {}
        for name, constant in CONSTANTS.items():
            if name not in found and constant.required:
                raise InputError(
                    f"its class has no constant {name}", expected=constant.words, action=f"add it; {CONTRACT}"
                )
            values[name] = found.get(name, constant.default)
            if name in found and not constant.test(found[name]):
                raise InputError(
                    f"its class has {name} = {str(found[name])[:80]}",
                    expected=constant.words,
                    action=f"correct it; {CONTRACT}",
                )
        layers = values[LAYERS]
        default = tuple(values["default_layers"] or layers)
        hest = tuple(values["hest_layers"] or default)
        for name in (*default, *hest):
            if name not in layers:
                raise InputError(
                    f"it reads the layer {name}, which is none of its layers",
                    expected=", ".join(layers),
                    action="correct default_layers or hest_layers",
                )
    title = values["title"] or path.name
    return Encoder(
        name=path.stem,
        title=title,
        family="own",
        layers=layers,
        default_layers=default,
        hest_layers=hest,
        mean=tuple(map(float, values["mean"])),
        sd=tuple(map(float, values["sd"])),
        words=values["words"]
        or f"the outputs {', '.join(layers)} of {title}, an encoder of the study's own,",
        citation=values["citation"],
        licence=values["licence"],
        page=values["page"],
        parameters=0,
        px=values["px"],
        tile_um=values["tile_um"],
        precision=values["precision"],
        definition=str(file),
    )


def _check_name(name: str) -> None:
    """The file's name is that of the encoder in files and provenance, and must be no other's."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"an encoder named {name}",
            expected="a file whose name has only letters, digits and _, and begins with a letter",
            action="rename the file",
        )
    if name in ENCODERS.names:
        raise InputError(
            f"an encoder of one's own with the name of another, {name}",
            expected="a name of its own",
            action=f"rename the file, or write features.encoder: {name}",
        )


def _class(path: Path) -> ast.ClassDef:
    """The class that has layers."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected="a Python file with the encoder's class",
            action="correct features.encoder; a path is taken relative to the study's folder",
        ) from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise InputError(
            f"it is no Python{line} ({error})"[:300],
            expected="a Python file with the encoder's class",
            action="correct it",
        ) from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and LAYERS in _assigned(node)]
    if len(classes) != 1:
        names = ", ".join(node.name for node in classes)
        raise InputError(
            f"{len(classes)} classes with the constant layers{f' ({names})' if names else ''}",
            expected="one class with layers, mean and sd",
            action=CONTRACT,
        )
    return classes[0]


def class_name(file: str | Path) -> str:
    """Return the name of the encoder's class in a file that `read_own_encoder` has read."""
    return _class(Path(file)).name


def _assigned(node: ast.ClassDef) -> dict[str, ast.expr]:
    """What is assigned in a class's own body, by name."""
    found: dict[str, ast.expr] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            found |= {one.id: statement.value for one in statement.targets if isinstance(one, ast.Name)}
        elif (
            isinstance(statement, ast.AnnAssign)
            and statement.value
            and isinstance(statement.target, ast.Name)
        ):
            found[statement.target.id] = statement.value
    return found


def _constants(node: ast.ClassDef) -> dict[str, object]:
    """The class's constants that are part of the contract."""
    found = {}
    for name, value in _assigned(node).items():
        if name not in CONSTANTS:
            continue
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise InputError(
                f"line {value.lineno}: {name} is computed ({ast.unparse(value)[:80]})",
                expected=f"{CONSTANTS[name].words}, written out: the file is read without being run",
                action="write the value itself",
            ) from error
    return found
