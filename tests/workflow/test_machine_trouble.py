"""A full disk and a folder without permission are said in one sentence, and nothing finished is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studies import REPOSITORY, copy_study

NOBODY = 65534


@pytest.fixture
def study(micro, tmp_path) -> Path:
    """The finished micro-study, of which one section's features are to be made again."""
    study = copy_study(micro, tmp_path / "study", results=True)
    (study / "results/features/M2.h5").unlink()
    return study


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of a few kilobytes in the place of an empty folder."""
    size = f"size={kilobytes}k"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def full_disk(study) -> Iterator[Path]:
    """A disk in the place of the features, those that are finished on it, too small for one more."""
    features = study / "results/features"
    kept = sum(file.stat().st_size for file in features.iterdir())
    shutil.move(features, study / "kept")
    features.mkdir()
    with small_disk(features, kept // 1024 + 128):
        for file in (study / "kept").iterdir():
            shutil.copy2(file, features / file.name)
        yield features


def states(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def test_a_full_disk_is_said_and_the_run_goes_on_once_there_is_room(study, full_disk, snakemake):
    before = states(study / "results")
    run = snakemake(study, "results/features/M2.h5", succeeds=False)
    said = "extract_features M2: results/features/M2.h5: the disk is full; make room there and run again"
    assert said in run.output
    assert "Traceback" not in run.output
    assert "Segmentation" not in run.output
    assert "Traceback" in (study / "logs/extract_features/M2.log").read_text()
    assert states(study / "results") == before
    subprocess.run(["mount", "-o", "remount,size=100m", str(full_disk)], check=True)
    assert snakemake(study, "results/features/M2.h5").job_names == {"extract_features M2"}
    assert (full_disk / "M2.h5").exists()


WRITERS = {
    "features": """
from types import SimpleNamespace
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import COLOUR
from ressat.features.cache_writer import write_features
layers = ENCODERS.load("resnet50").layers
widths = {COLOUR: 9, **layers}
batches = ({name: rng.random((16, width)) for name, width in widths.items()} for _ in range(25))
tiles = SimpleNamespace(
    coords=np.zeros((400, 2)), barcodes=np.arange(400).astype(str), tissue=np.zeros(400), section="S1",
    scale=SimpleNamespace(mpp=0.5), geometry=SimpleNamespace(tile_um=112.0), fingerprint="",
)
write = lambda file: write_features(file, tiles, layers, batches, {})
""",
    "counts": """
import anndata, scipy.sparse
from ressat.base.anndata_file import write_anndata
counts = anndata.AnnData(scipy.sparse.random(400, 2000, density=0.3, format="csr", random_state=rng))
write = lambda file: write_anndata(file, counts)
""",
}


@pytest.mark.parametrize("kilobytes", [8, 60, 140, 300, 700, 1400])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full_at_any_moment_ends_a_job_cleanly(writer, kilobytes, tmp_path):
    """HDF5 destroys its memory where compressed data meet a full disk on their way out of its cache."""
    disk = tmp_path / "disk"
    disk.mkdir()
    code = f"""
import sys
import numpy as np
from ressat.base.joblog import job_log
rng = np.random.default_rng(0)
{WRITERS[writer]}
with job_log(sys.argv[1], "job S1"):
    write(sys.argv[2])
"""
    with small_disk(disk, kilobytes):
        job = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log"), str(disk / "S1.h5")],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow_scripts")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert job.returncode == 1, job.stderr
        assert "the disk is full" in job.stderr
        assert not list(disk.iterdir())


@pytest.mark.parametrize("folder", [".", "results", "results/features"])
def test_a_folder_without_permission_is_said_before_any_job(study, folder, tmp_path):
    """As a user who may read everything and write nothing of the study."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("another user can be taken by root alone, with setpriv")
    if folder != ".":
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(study)], check=True)
        os.chown(study / folder, 0, 0)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    for parent in home.parents:
        if parent.is_relative_to(Path(os.environ.get("TMPDIR", "/tmp"))) and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    may_read = [f"--{kind}=+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    another = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *may_read]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    run = subprocess.run(
        [*another, *snakemake, "results/features/M2.h5", "--cores", "1", "--directory", str(study)],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(home), "XDG_CACHE_HOME": str(home)},
        cwd=home,
        timeout=120,
    )
    assert run.returncode != 0
    assert f"{(study / folder).resolve()}: user nobody may not write in this folder; expected" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (study / "results/features/M2.h5").exists()
