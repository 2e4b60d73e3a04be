"""Running studies as a user does: snakemake in a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CORES = 2


@dataclass(frozen=True)
class Run:
    """What a finished snakemake call left."""

    returncode: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """How many jobs of each rule a dry run announces."""
        table = self.output.split("Job stats:")[-1].split("\n\n")[0].splitlines()
        rows = [line.split() for line in table if line and not line.startswith(("job ", "---"))]
        return {name: int(count) for name, count in rows if name not in ("total", "all")}

    @property
    def job_names(self) -> set[str]:
        """Every job that was announced or started, by rule and wildcards: ``predict_expression all M3``."""
        found = set()
        for block in re.split(r"(?m)^(?=(?:local)?(?:rule|checkpoint) \w+:$)", self.output)[1:]:
            name = re.match(r"\w+ (\w+):", block)[1]
            wildcards = re.search(r"(?m)^    wildcards: (.*)$", block.split("\n\n")[0])
            values = re.findall(r"=([^,]+)", wildcards[1]) if wildcards else []
            found.add(" ".join([name, *values]))
        return found - {"all"}


def rules(repository: Path) -> dict[str, str]:
    """Text of every rule that runs something, by name."""
    found = {}
    for file in sorted((repository / "rules").glob("*.smk")):
        for block in re.split(r"(?m)^(?=rule )", file.read_text())[1:]:
            found[block.split(":", 1)[0].removeprefix("rule ")] = block
    return found


def start(
    study: Path, *arguments: str, snakefile: Path = REPOSITORY / "Snakefile", cores: int = CORES
) -> subprocess.Popen:
    """Start snakemake as the leader of a process group."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    return subprocess.Popen(
        [*command, *arguments, "--cores", str(cores), "--directory", str(study)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen, *, succeeds: bool, limit_s: float) -> Run:
    """Wait for a started snakemake; fails the test unless it ends in time and as expected."""
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        pytest.fail(f"snakemake took longer than {limit_s} s:\n{output}")
    if (process.returncode == 0) != succeeds:
        pytest.fail(f"snakemake ended with {process.returncode}:\n{output}")
    return Run(process.returncode, output)


def copy_study(source: Path, target: Path, *, results: bool = False) -> Path:
    """Copy a study's config and sheet; with ``results``, all that was made from them too, with its times."""
    if results:
        return Path(shutil.copytree(source, target, dirs_exist_ok=True))
    target.mkdir(exist_ok=True, parents=True)
    for name in ("config.yaml", "samples.tsv"):
        shutil.copy(source / name, target / name)
    return target


def content(file: Path) -> object:
    """What a result says, in a form that can be compared: of HDF5 all values and attributes.

    The report also says by which command and where it was made, which is no result.
    """
    if file.suffix == ".html":
        return re.sub(rb'<p[^>]*id="(command|software)".*?</p>', b"", file.read_bytes(), flags=re.DOTALL)
    if file.suffix not in (".h5", ".h5ad"):
        return file.read_bytes()
    values = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        values[name, "attributes"] = {key: np.asarray(item.attrs[key]).tolist() for key in item.attrs}
        if isinstance(item, h5py.Dataset):
            data = np.asarray(item[()])
            same = data.tolist() if data.dtype == object else data.tobytes()
            values[name] = (data.dtype, data.shape, same)

    with h5py.File(file) as data:
        keep("/", data)
        data.visititems(keep)
    return values
