"""A fingerprint of the code behind a script, so that Snakemake notices an edited module.

Snakemake tracks the script file alone. Standard library only.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1]
# A folder of this name holds the templates of the modules beside it, which name them as text.
TEMPLATES = "templates"


def code_version(script: str, library: Path = LIBRARY) -> str:
    """Return a SHA-256 over the library modules that a script imports, directly or not.

    Parameters
    ----------
    script
        The script's name without ending, which is its rule's name too.
    library
        The package's folder; the scripts lie beside it.

    Returns
    -------
    str
        16 hexadecimal digits. The script itself is not part of it: Snakemake watches that.
    """
    digest = hashlib.sha256()
    for file in library_files(library.parent / f"{script}.py", library):
        digest.update(file.relative_to(library).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def library_files(file: Path, library: Path = LIBRARY) -> list[Path]:
    """List the files of the library that a Python file imports, directly or not, and their templates.

    The rooms' `__init__.py` are not among them: they hold a docstring and nothing else.
    """
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        for used in _used(waiting.pop(), library):
            if used not in seen:
                seen.add(used)
                waiting += [used] if used.suffix == ".py" else []
    return sorted(seen)


@cache
def _used(file: Path, library: Path) -> tuple[Path, ...]:
    """Modules that one file names in its import statements, and templates that it names as text."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    used = {path for name in _imported(tree) if (path := _module(name, library)) is not None}
    templates = file.parent / TEMPLATES
    if templates.is_dir():
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        used |= {path for path in templates.iterdir() if path.name in texts}
    return tuple(sorted(used))


def _imported(tree: ast.AST) -> set[str]:
    """Dotted names that may be modules, of all import statements."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _module(name: str, library: Path) -> Path | None:
    """The file of a module of the library; None for what is none."""
    package, *parts = name.split(".")
    if package != library.name or not parts:
        return None
    path = library.joinpath(*parts).with_suffix(".py")
    return path if path.is_file() else None
