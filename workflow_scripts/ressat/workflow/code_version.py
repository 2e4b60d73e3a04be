"""A fingerprint of the code behind a script, so that Snakemake notices an edited module.

Snakemake tracks the script file alone. Standard library only.
"""

import ast
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from ressat.base.registry import Registry

LIBRARY = Path(__file__).resolve().parents[1]
# A folder of this name holds templates; modules next to it name them in strings.
TEMPLATES = "templates"


# A module of this name lists the members of a registry, which are in the same folder.
REGISTRY = "registry.py"
Members = Mapping[str, Collection[str]]


def versions_of(members: Members) -> Callable[[str], str]:
    """Return a function that gives a script's version in a study that uses some members of the registries.

    It reads the files of each script once.
    """
    return cache(lambda script: code_version(script, members))


def code_version(script: str, members: Members | None = None, library: Path = LIBRARY) -> str:
    """Return a SHA-256 over the library modules that a script imports, directly or not.

    Parameters
    ----------
    script
        The script's name without ending, which is its rule's name too.
    members
        Names of the members used from each registry, by its folder within the library: a script that imports
        a registry depends on these members, and not on the list. None for all.
    library
        The package's folder; the scripts are next to it.

    Returns
    -------
    str
        16 hexadecimal digits. The script itself is not part of it: Snakemake watches that.
    """
    digest = hashlib.sha256()
    for file in library_files(library.parent / f"{script}.py", members, library):
        digest.update(file.relative_to(library).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def library_files(file: Path, members: Members | None = None, library: Path = LIBRARY) -> list[Path]:
    """List the files of the library that a Python file imports, directly or not, and their templates.

    Leaves out the subpackages' `__init__.py`, which hold only a docstring, and imports for type checkers
    only. For the parameters see `code_version`.
    """
    files: set[Path] = set()
    waiting = [file]
    while waiting:
        for used in _used(waiting.pop(), library):
            if used in files:
                continue
            files.add(used)
            if _is_registry(used, library):
                folder = used.parent.relative_to(library)
                names = _registered(folder) if members is None else members[folder.as_posix()]
                # The script also depends on how members are loaded.
                found = {
                    library / "base" / REGISTRY,
                    *(used.with_name(f"{name}.py") for name in names),
                } - files
                files |= found
                waiting += found
            elif used.suffix == ".py":
                waiting.append(used)
    return sorted(path for path in files if not _is_registry(path, library))


def _is_registry(path: Path, library: Path) -> bool:
    """Whether a module lists members; `base/registry.py` does not, it defines the class of these lists."""
    return path.name == REGISTRY and path.parent != library / "base"


def _registered(folder: Path) -> tuple[str, ...]:
    """Names of all members in the registry of a folder, which is relative to the library."""
    package = ".".join((LIBRARY.name, *folder.parts))
    values = vars(import_module(f"{package}.{Path(REGISTRY).stem}")).values()
    (registry,) = (one for one in values if isinstance(one, Registry) and one.package == package)
    return registry.names


@cache
def _used(file: Path, library: Path) -> tuple[Path, ...]:
    """Modules that a file imports, and templates that it names in strings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    used = {path for name in _imported(tree) if (path := _module(name, library)) is not None}
    templates = file.parent / TEMPLATES
    if templates.is_dir():
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        used |= {path for path in templates.iterdir() if path.name in texts}
    return tuple(sorted(used))


def _imported(tree: ast.Module) -> set[str]:
    """Dotted names in all import statements that may be modules."""
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements in a statement, but for type checkers'; expressions, most of a tree, have no imports."""
    for_checkers = isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, part, ())
        if isinstance(inner, list) and not (for_checkers and part == "body"):
            for statement in inner:
                yield statement
                yield from _statements(statement)


def _module(name: str, library: Path) -> Path | None:
    """The file of a module of the library; None for any other name."""
    package, *parts = name.split(".")
    if package != library.name or not parts:
        return None
    path = library.joinpath(*parts).with_suffix(".py")
    return path if path.is_file() else None
