"""A local conda channel, made of what is installed in the environment that runs this script.

usage: conda_channel.py CHANNEL ENVIRONMENT_FILE...

It holds this Python and, of its installed packages, those that the environment files can need. Nothing is
downloaded: files, versions and dependencies are those of the wheels that pip installed here. Left out are the
packages' command line tools, because no rule calls one, and their tests and C headers, a third of all files.
"""

import hashlib
import io
import json
import re
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pyarrow
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

# Where conda-forge's name of a package is not that of the Python package index.
CONDA_NAMES = {
    "connection-pool": "connection_pool",
    "dask": "dask-core",
    "fastjsonschema": "python-fastjsonschema",
    "interface-meta": "interface_meta",
    "jaraco-functools": "jaraco.functools",
    "lazy-loader": "lazy_loader",
    "matplotlib": "matplotlib-base",
    "msgpack": "msgpack-python",
    "openslide-bin": "openslide",
    "pyvips-binary": "libvips",
    "seaborn": "seaborn-base",
    "torch": "pytorch",
    "typing-extensions": "typing_extensions",
    "tzdata": "python-tzdata",
    "universal-pathlib": "universal_pathlib",
}
INDEX_NAMES = {conda: name for name, conda in CONDA_NAMES.items()}

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
STDLIB = f"lib/python{PYTHON}"
SITE_PACKAGES = f"{STDLIB}/site-packages"
LINUX = {"subdir": "linux-64", "arch": "x86_64", "platform": "linux"}
NOT_PACKED = {"site-packages", "test", "tests", "include", "idlelib", "lib2to3", "turtledemo", "ensurepip"}
BYTECODE = f".{sys.implementation.cache_tag}.pyc"

Files = Iterable[tuple[str, Path]]


def conda_name(name: str) -> str:
    """conda-forge's name of a package of the Python package index."""
    canonical = canonicalize_name(name)
    return CONDA_NAMES.get(canonical, canonical)


def match_spec(specifiers: SpecifierSet) -> str:
    """The same bounds in conda's words."""
    return ",".join(sorted(map(str, specifiers))) or "*"


@cache
def required(name: str, extras: frozenset[str] = frozenset([""])) -> frozenset[Requirement]:
    """What an installed package requires on this machine, with what the extras it asks for require.

    conda knows no extras: who asks for one depends on its packages itself.
    """
    found = set()
    for requirement in map(Requirement, distribution(name).requires or []):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            found.add(requirement)
            if requirement.extras:
                found |= required(requirement.name, frozenset(requirement.extras))
    return frozenset(found)


def with_requirements(names: Iterable[str]) -> set[str]:
    """Canonical names of the packages and of all that they need, directly or not."""
    found, waiting = set(), {canonicalize_name(name) for name in names}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {canonicalize_name(one.name) for one in required(name)} - found
    return found


def named_packages(environments: Iterable[Path]) -> set[str]:
    """Index names of the packages that environment files ask for, other than Python."""
    lines = [line for file in environments for line in yaml.safe_load(file.read_text())["dependencies"]]
    names = {re.match(r"[\w.-]+", line).group() for line in lines} - {"python"}
    return {INDEX_NAMES.get(name, name) for name in names}


def package_files(package: Distribution, target: str) -> Iterator[tuple[str, Path]]:
    """Pairs of the path in a prefix and the installed file; bytecode comes along, so that nobody compiles."""
    for file in package.files or []:
        if file.parts[0] != ".." and NOT_PACKED.isdisjoint(file.parts):
            yield f"{target}/{file}", Path(package.locate_file(file))


def python_files() -> Iterator[tuple[str, Path]]:
    """The same of the interpreter and its standard library."""
    base = Path(sysconfig.get_path("stdlib")).resolve()
    for file in sorted(base.rglob("*")):
        inside = file.relative_to(base)
        wanted = NOT_PACKED.isdisjoint(inside.parts) and not inside.parts[0].startswith("config-")
        if wanted and file.is_file() and (file.suffix != ".pyc" or file.name.endswith(BYTECODE)):
            yield f"{STDLIB}/{inside}", file
    for file in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
        yield f"lib/{file.name}", file
    for name in (f"python{PYTHON}", "python3", "python"):
        yield f"bin/{name}", Path(sys.base_prefix, "bin", f"python{PYTHON}").resolve()


def write_archive(stream: io.IOBase, files: Iterable[tuple[str, bytes, int, float]]) -> None:
    """Write (path, content, mode, time of change) as a tar file compressed by zstd at level 1."""
    with (
        pyarrow.CompressedOutputStream(pyarrow.PythonFile(stream, "w"), "zstd") as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path, content, mode, changed in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode, changed
            archive.addfile(entry, io.BytesIO(content))


def write_package(channel: Path, index: dict, files: Files) -> tuple[str, dict]:
    """Write one package in conda's second format.

    Parameters
    ----------
    channel
        The channel's folder.
    index
        The package's index.json.
    files
        Pairs of the path in the package and the file to pack.

    Returns
    -------
    The package's file name and its entry of repodata.json.
    """
    paths = []

    def contents() -> Iterator[tuple[str, bytes, int, int]]:
        for path, source in files:
            content, status = source.read_bytes(), source.stat()
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
            paths.append({"_path": path, "path_type": "hardlink", "sha256": digest, "size_in_bytes": size})
            # Bytecode is valid only beside a source with the time of change that it names.
            yield path, content, status.st_mode & 0o777, int(status.st_mtime)

    name = f"{index['name']}-{index['version']}-{index['build']}"
    file = channel / index["subdir"] / f"{name}.conda"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as package:
        package.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        with package.open(f"pkg-{name}.tar.zst", "w", force_zip64=True) as stream:
            write_archive(stream, contents())
        about = {"index": index, "paths": {"paths": paths, "paths_version": 1}, "about": {}}
        if index["subdir"] == "noarch":
            about["link"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
        texts = ((f"info/{key}.json", json.dumps(value).encode(), 0o644, 0) for key, value in about.items())
        with package.open(f"info-{name}.tar.zst", "w") as stream:
            write_archive(stream, texts)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return file.name, {**index, "sha256": digest, "size": file.stat().st_size}


def add_package(channel: Path, name: str) -> tuple[str, dict]:
    """Add an installed package, with the dependencies that its metadata declare."""
    package = distribution(name)
    version = Version(package.version)
    pure = "Root-Is-Purelib: true" in (package.read_text("WHEEL") or "")
    python = package.metadata.get("Requires-Python") or f">={PYTHON}" if pure else f"~={PYTHON}.0"
    depends = {f"{conda_name(one.name)} {match_spec(one.specifier)}" for one in required(name)}
    build = [version.local] if version.local else []
    index = {
        "name": conda_name(name),
        "version": version.public,
        "build": "_".join([*build, "pyhd_0" if pure else f"py{PYTHON.replace('.', '')}_0"]),
        "build_number": 0,
        "depends": sorted(depends | {f"python {match_spec(SpecifierSet(python))}"}),
        **({"subdir": "noarch", "noarch": "python"} if pure else LINUX),
    }
    return write_package(
        channel, index, package_files(package, SITE_PACKAGES if not pure else "site-packages")
    )


def add_python(channel: Path) -> tuple[str, dict]:
    """Add the interpreter that runs this script."""
    version = ".".join(map(str, sys.version_info[:3]))
    index = {"name": "python", "version": version, "build": "cpython_0", "build_number": 0, "depends": []}
    return write_package(channel, {**index, **LINUX}, python_files())


def build(channel: Path, environments: Iterable[Path]) -> None:
    """Fill a channel with all that environment files can need, and index it.

    Raises
    ------
    SystemExit
        If a package that is needed is not installed.
    """
    try:
        names = with_requirements(named_packages(environments))
    except PackageNotFoundError as error:
        raise SystemExit(f"{error}: an environment needs it, and it is not installed here") from None
    with ProcessPoolExecutor() as pool:
        packages = [*pool.map(partial(add_package, channel), sorted(names)), add_python(channel)]
    for subdir in ("linux-64", "noarch"):
        entries = {file: entry for file, entry in packages if entry["subdir"] == subdir}
        repodata = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": entries}
        (channel / subdir / "repodata.json").write_text(json.dumps(repodata))


if __name__ == "__main__":
    build(Path(sys.argv[1]), [Path(file) for file in sys.argv[2:]])
