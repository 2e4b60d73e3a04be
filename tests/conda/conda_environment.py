"""Solve and install conda environments with rattler: `conda create` and `conda env create` of the tests.

Channels are folders in $RESSAT_TEST_CHANNELS. Unpacked packages are kept in $RESSAT_TEST_PACKAGES and
hard-linked from there into prefixes. Nothing is downloaded.
"""

import argparse
import asyncio
import os
from pathlib import Path

import rattler
import yaml


async def solve(file: Path, channels: Path) -> list[rattler.RepoDataRecord]:
    """Find the packages of an environment.

    Parameters
    ----------
    file
        An environment file, or a pin file: the addresses of packages, one per line.
    channels
        Folder that holds one folder per channel.

    Raises
    ------
    ValueError
        If the file asks for something that is not a package of one of these channels.
    """
    if file.suffix == ".txt":
        lines = [line for line in file.read_text().splitlines() if not line.startswith(("#", "@"))]
        named, dependencies = [], [line.split("#")[0] for line in lines]
    else:
        content = yaml.safe_load(file.read_text())
        named = [name for name in content["channels"] if name != "nodefaults"]
        dependencies = content["dependencies"]
    absent = [name for name in named if not (channels / name).is_dir()]
    other = [line for line in dependencies if not isinstance(line, str)]
    if absent or other:
        raise ValueError(f"{file} asks for {absent or other}, which is not in {channels}")
    return await rattler.solve(
        sources=[rattler.Channel((channels / name).resolve().as_uri()) for name in named],
        specs=dependencies,
        gateway=rattler.Gateway(cache_dir=channels / "repodata"),
        virtual_packages=rattler.VirtualPackage.detect(),
    )


async def create(file: Path, prefix: Path, channels: Path, packages: Path) -> None:
    """Find the packages of an environment and install them into a prefix."""
    records = await solve(file, channels)
    await rattler.install(records, target_prefix=prefix, cache_dir=packages, show_progress=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", nargs="+")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--prefix", type=Path, required=True)
    for ignored in ("--quiet", "--yes", "--no-default-packages"):
        parser.add_argument(ignored, action="store_true")
    arguments = parser.parse_args()
    channels, packages = (Path(os.environ[f"RESSAT_TEST_{name}"]) for name in ("CHANNELS", "PACKAGES"))
    asyncio.run(create(arguments.file, arguments.prefix, channels, packages))
    # rattler's threads may still hold Python objects, and an interpreter that then winds up can crash
    # (PyO3/pyo3-async-runtimes, issue 40).
    os._exit(0)
