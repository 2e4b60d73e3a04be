"""What jobs ask for, and that GPUs are never shared; a fake `nvidia-smi` stands for the driver."""

import json
import os
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from studies import Run, copy_study

SECTIONS = ("M1", "M2", "M3")
ON_GPU = {"extract_features", "train_model"}


@pytest.fixture
def gpu(tmp_path, monkeypatch):
    """A machine whose driver lists one GPU."""
    program = tmp_path / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-1)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def requests(run: Run, resource: str) -> dict[str, str]:
    """What jobs ask for of a resource, by rule."""
    blocks = re.findall(r"(?ms)^(?:local)?rule (\w+):$(.*?)^    resources: (.*?)$", run.output)
    found = {rule: re.search(rf"\b{resource}=([^,]+)", line) for rule, _, line in blocks}
    return {rule: value[1] for rule, value in found.items() if value}


def span(log: Path) -> tuple[datetime, datetime]:
    """First and last moment of a job's log."""
    times = re.findall(r"(?m)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ", log.read_text())
    first, last = (datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f") for time in (times[0], times[-1]))
    return first, last


def test_without_a_gpu_no_job_asks_for_one(repository, snakemake, tmp_path):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "micro")
    assert requests(snakemake(study, "--dry-run"), "gpu") == {}


@pytest.mark.usefixtures("gpu")
def test_where_there_is_a_gpu_the_jobs_of_the_networks_ask_for_it(repository, snakemake, tmp_path):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "micro")
    assert requests(snakemake(study, "--dry-run"), "gpu") == dict.fromkeys(ON_GPU, "1")


@pytest.mark.usefixtures("gpu")
def test_two_jobs_are_never_on_one_gpu_however_many_cores_there_are(micro, snakemake, tmp_path):
    study = copy_study(micro, tmp_path / "micro", results=True)
    targets = [f"results/features/{name}.h5" for name in SECTIONS]
    snakemake(study, *targets, "--forcerun", "extract_features", cores=64)
    spans = sorted(span(study / f"logs/extract_features/{name}.log") for name in SECTIONS)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_requests_grow_with_the_section_and_are_known_once_its_files_are_there(micro, snakemake, tmp_path):
    study = copy_study(micro, tmp_path / "micro", results=True)
    run = snakemake(study, "--dry-run", "--forceall")
    for resource in ("mem_mb", "runtime"):
        asked = requests(run, resource)
        assert set(asked) == set(run.jobs)
        assert all(int(value) > 0 for value in asked.values())
    tiles = study / "results/tiles/M1.json"
    tiles.write_text(json.dumps({"tiles": 48_000}))
    grown = snakemake(study, "results/features/M1.h5", "--dry-run", "--force")
    before = requests(snakemake(micro, "results/features/M1.h5", "--dry-run", "--force"), "runtime")
    assert int(requests(grown, "runtime")["extract_features"]) > 5 * int(before["extract_features"])


def test_a_cohort_of_whole_visium_sections_asks_for_what_a_cluster_has(repository, snakemake, tmp_path):
    sections = [f"S{index}" for index in range(12)]
    sheet = ["sample\tslide\texpression\trole"]
    sizes = {"expression/{}.h5ad": 50_000_000, "checks/{}.genes.json": 100, "features/{}.h5": 31_000_000}
    for name in sections:
        sheet.append(f"{name}\t{name}.svs\t{name}.h5ad\ttrain")
        (tmp_path / f"{name}.svs").touch()
        (tmp_path / f"{name}.h5ad").touch()
        for file, size in sizes.items():
            path = tmp_path / "results" / file.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, size)  # a sparse file: as large as that of 5,000 spots, on no disk
    (tmp_path / "samples.tsv").write_text("\n".join(sheet) + "\n")
    (tmp_path / "config.yaml").write_text("features: {weights: random}\n")
    run = snakemake(tmp_path, "results/folds/all/model.pt", "--dry-run", "--rerun-triggers", "mtime")
    assert run.jobs == {"select_genes": 1, "train_model": 1}
    assert all(4000 < int(megabytes) < 32_000 for megabytes in requests(run, "mem_mb").values())
    assert 4 * 60 < int(requests(run, "runtime")["train_model"]) < 12 * 60
