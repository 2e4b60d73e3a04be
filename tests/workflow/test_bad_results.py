"""What goes wrong after the check: a damaged tile, other weights, results of an older version."""

import re
from pathlib import Path

import h5py
import pytest
import torch
import torch.nn as nn
import yaml

from studies import copy_study


@pytest.fixture
def study(micro, tmp_path) -> Path:
    return copy_study(micro, tmp_path / "study", results=True)


def states(study: Path) -> dict[Path, tuple[bytes, int]]:
    files = [file for file in sorted((study / "results").rglob("*")) if file.is_file()]
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def refused(snakemake, study: Path, *arguments: str) -> str:
    output = snakemake(study, *arguments, succeeds=False).output
    assert "Traceback" not in output
    return output


def test_a_damaged_tile_in_the_middle_of_a_slide_is_named_by_its_place(study, snakemake):
    slide = study / "data/M2/slide.tiff"
    content = bytearray(slide.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\0" * 20_000
    slide.write_bytes(content)
    others = {file: state for file, state in states(study).items() if "M2" not in file.name}
    output = refused(snakemake, study, "results/features/M2.h5", "results/features/M1.h5", "--keep-going")
    said = r"section M2: data/M2/slide\.tiff: the region at level-0 pixel x=\d+, y=\d+ .* cannot be read"
    assert re.search(said + ".*; expected a slide without damage; copy or export the slide again", output)
    assert {file: state for file, state in states(study).items() if file in others} == others


class Small(nn.Module):
    """No ResNet50, though its layers have names of one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7)
        self.fc = nn.Linear(8, 10)


def test_weights_of_another_network_stop_the_run_before_any_feature_is_touched(study, snakemake):
    torch.save(Small().state_dict(), study / "other.pth")
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["features"]["weights"] = "other.pth"
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    kept = {file: state for file, state in states(study).items() if file.parent.name != "features"}
    output = refused(snakemake, study, "results/features/M1.h5")
    assert "other.pth: " in output
    assert "expected" in output.split("other.pth: ")[1]
    assert {file: state for file, state in states(study).items() if file in kept} == kept


@pytest.mark.parametrize(
    ("file", "made", "beside"),
    [
        ("results/features/M2.h5", "results/predictions/holdout/M2.h5ad", ".parquet"),
        ("results/tiles/M2.h5", "results/stain/M2.json", ".png"),
    ],
)
def test_results_of_an_older_version_are_refused(study, snakemake, file, made, beside):
    """Only where Snakemake is told to look at times alone; else new code makes everything anew."""
    with h5py.File(study / file, "r+") as results:
        results.attrs["version"] = 1
    for wanted in (study / made, (study / made).with_suffix(beside)):
        wanted.unlink()
    before = states(study)
    output = refused(snakemake, study, made, "--rerun-triggers", "mtime")
    assert f"{file}: file format version 1; expected version 3; remove the results folder" in output
    assert states(study) == before


@pytest.mark.parametrize(
    ("file", "damage", "wanted", "said"),
    [
        (
            "results/folds/holdout/genes.tsv",
            lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
            "results/folds/holdout/model.pt",
            "the empty line is missing that ends such a file",
        ),
        (
            "results/features/M2.h5",
            lambda file: put_nan(file, "features/layer3", "features/layer4"),
            "results/predictions/holdout/M2.h5ad",
            "layer[34]: 1 of",
        ),
    ],
)
def test_results_that_are_not_whole_are_refused_by_name(study, snakemake, file, damage, wanted, said):
    damage(study / file)
    for made in {"model.pt": ["model.pt", "history.tsv"]}.get(Path(wanted).name, ["M2.h5ad", "M2.parquet"]):
        (study / wanted).with_name(made).unlink()
    before = states(study)
    output = refused(snakemake, study, wanted, "--rerun-triggers", "mtime")
    assert re.search(rf"{file}: {said}.*; remove it and run again", output)
    assert states(study) == before


def put_nan(file: Path, *datasets: str) -> None:
    with h5py.File(file, "r+") as results:
        for name in datasets:
            results[name][3, 5] = float("nan")


def test_a_saved_model_that_diverged_stops_the_run_before_any_feature(study, snakemake):
    content = torch.load(study / "results/folds/all/model.pt", weights_only=True)
    content["head"]["members.1.1.weight"][0, 0] = float("nan")
    torch.save(content, study / "other.pt")
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["model"] = {"use": "other.pt"}
    del config["simulate"]
    # Without stain normalisation, features need nothing else of the model.
    config["stain"] = {"method": "none"}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    sheet = (study / "samples.tsv").read_text().splitlines()
    (study / "samples.tsv").write_text("\n".join([sheet[0], sheet[3]]) + "\n")
    (study / "results/features/M3.h5").unlink()
    output = refused(snakemake, study, "results/features/M3.h5")
    assert "other.pt: head.members.1.1.weight has 1 numbers such as nan; expected finite numbers" in output
    assert not (study / "results/features/M3.h5").exists()
