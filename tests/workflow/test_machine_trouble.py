"""A full disk and a folder without permission are said in one sentence, and nothing finished is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture
def small_disk(study) -> Iterator[Path]:
    """A disk of a few kilobytes in the place of the features, those that are finished on it."""
    features = study / "results/features"
    kept = sum(file.stat().st_size for file in features.iterdir())
    shutil.move(features, study / "kept")
    features.mkdir()
    size = f"size={kept // 1024 + 128}k"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(features)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    for file in (study / "kept").iterdir():
        shutil.copy2(file, features / file.name)
    yield features
    subprocess.run(["umount", str(features)], check=True)


def states(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def test_a_full_disk_is_said_and_the_run_goes_on_once_there_is_room(study, small_disk, snakemake):
    before = states(study / "results")
    run = snakemake(study, "results/features/M2.h5", succeeds=False)
    said = "extract_features M2: results/features/M2.h5: the disk is full; make room there and run again"
    assert said in run.output
    assert "Traceback" not in run.output
    assert "Segmentation" not in run.output
    assert "Traceback" in (study / "logs/extract_features/M2.log").read_text()
    assert states(study / "results") == before
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    assert snakemake(study, "results/features/M2.h5").job_names == {"extract_features M2"}
    assert (small_disk / "M2.h5").exists()


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
