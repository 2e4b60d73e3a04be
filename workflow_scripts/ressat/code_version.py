"""A fingerprint of the code behind a script, so that Snakemake notices an edited module.

Snakemake tracks the script file alone. Standard library only.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent
PACKAGE = Path(__file__).resolve().parent.name


def code_version(script: str) -> str:
    """Return a SHA-256 over the library modules that a script imports, directly or not.

    Parameters
    ----------
    script
        The script's name without ending, which is its rule's name too.

    Returns
    -------
    str
        16 hexadecimal digits. The script itself is not part of it: Snakemake watches that.
    """
    digest = hashlib.sha256()
    for file in library_files(SCRIPTS / f"{script}.py"):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def library_files(file: Path) -> list[Path]:
    """List the files of the library that a Python file imports, directly or not, and their templates."""
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        for imported in _imports(waiting.pop()):
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)
    templates = {template for module in seen for template in _templates(module)}
    return sorted(seen | templates)


@cache
def _imports(file: Path) -> tuple[Path, ...]:
    """Library modules that one file names in its import statements."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            modules.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            modules |= {name[1] for name in names if name[0] == PACKAGE and len(name) > 1}
    return tuple(SCRIPTS / PACKAGE / f"{module}.py" for module in sorted(modules))


def _templates(module: Path) -> list[Path]:
    """Templates that belong to a module: `templates/{module}*`."""
    return sorted((module.parent / "templates").glob(f"{module.stem}*"))
