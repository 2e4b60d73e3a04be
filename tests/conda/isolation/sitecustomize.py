"""Loaded by every Python that the tests' `activate` starts: a job sees its own environment and nothing else.

Snakemake's preamble of a script appends all of Snakemake's own sys.path, so a package that an environment
lacks would be found where Snakemake is installed. Here those folders serve Snakemake's own modules, which the
preamble needs, and no other import. Each script leaves a line in $RESSAT_TEST_JOBS: its rule, its prefix, and
what it imported from elsewhere.
"""

import atexit
import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def is_installation(folder: str) -> bool:
    """Whether a folder holds a standard library or installed packages."""
    path = Path(folder)
    return path.name == "lib-dynload" or (path / "os.py").exists() or any(path.glob("*.dist-info"))


class OwnPath(list):
    """A sys.path that takes no other installation's folders."""

    def extend(self, folders: list[str]) -> None:
        for folder in folders:
            (FOREIGN if is_installation(folder) else self).append(folder)


class SnakemakeFinder:
    """Finds Snakemake's own packages, and those only, in the folders that were kept out."""

    @staticmethod
    def find_spec(name: str, path: list[str] | None, target: object = None) -> ModuleSpec | None:
        if path is None and name.startswith("snakemake"):
            return PathFinder.find_spec(name, FOREIGN, target)
        return None


def leave_record() -> None:
    """Append the record of this job."""
    files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    # Some modules that exist in memory alone have a bare name for a file.
    outside = [
        name for name, file in files.items() if os.path.isabs(file) and not file.startswith(sys.prefix)
    ]
    record = {
        "rule": SCRIPT.name.split(".")[
            -2
        ],  # Snakemake writes a script to a temporary name that ends in .RULE.py
        "prefix": sys.prefix,
        "outside": sorted({name.split(".")[0] for name in outside}),
    }
    with open(os.environ["RESSAT_TEST_JOBS"], "a") as file:
        file.write(json.dumps(record) + "\n")


FOREIGN: list[str] = []
SCRIPT = Path(sys.orig_argv[-1])

sys.path = OwnPath(sys.path)
sys.meta_path.append(SnakemakeFinder)
if SCRIPT.suffix == ".py":
    atexit.register(leave_record)
