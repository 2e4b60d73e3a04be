"""Whatever is in a path's name, the jobs get the file that the system finds by it."""

import re
import shutil

import pytest
import yaml

from studies import REPOSITORY

# Names of the slides of three sections; the last leads out of a folder that is a link.
SLIDES = {"M1": "{sample}.tiff", "M2": "x{fold}/a<logs>b$5{z,q+}.tiff", "M3": "data/../slides/M3.tiff"}
MODULE = """\
import yaml

with open("config.yaml") as file:
    settings = yaml.safe_load(file)


module ressat:
    snakefile:
        "{repository}/Snakefile"
    config:
        settings
    prefix:
        "below"


use rule * from ressat as ressat_*
"""


@pytest.fixture
def study(micro, tmp_path):
    """A study whose slides lie at such paths, each beside another slide that a careless reader would take."""
    study, far = tmp_path / "study", tmp_path / "far"
    for folder in (study / "x{fold}", study / "xall", study / "slides", far / "slides", far / "data"):
        folder.mkdir(parents=True)
    (study / "data").symlink_to(far / "data")
    config = yaml.safe_load((micro / "config.yaml").read_text())
    del config["simulate"]
    (study / "config.yaml").write_text(yaml.safe_dump(config))
    rows = [line.split("\t") for line in (micro / "samples.tsv").read_text().splitlines()]
    for row in rows[1:]:
        if row[0] in SLIDES:
            shutil.copy(micro / f"data/{row[0]}/slide.tiff", study / SLIDES[row[0]])
            row[1] = SLIDES[row[0]]
        if len(row) > 2 and row[2]:
            row[2] = str(micro / row[2])
    for other in ("M1.tiff", "xall/alogsb.tiff", "slides/M3.tiff"):
        (study / other).write_bytes(b"another slide")
    (study / "samples.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
    return study


def slides_read(output: str) -> dict[str, str]:
    """The slide that each check would read, by section."""
    found = {}
    for block in re.split(r"(?m)^(?=(?:local)?rule \w+:$)", output):
        inputs = re.search(r"(?m)^    input: (.*)$", block)
        sample = re.search(r"results/checks/(\w+)\.json, ", block)
        if "check_section:" in block and inputs and sample:
            found[sample[1]] = inputs[1].split(", ")[-1]
    return found


def test_jobs_read_the_files_that_the_sheet_names(study, snakemake):
    run = snakemake(study, "check", "--dry-run")
    assert slides_read(run.output) | SLIDES == slides_read(run.output)
    made = snakemake(study, "results/checks/M1.json", "results/checks/M2.json", "results/checks/M3.json")
    assert "Traceback" not in made.output
    assert "Nothing to be done" in snakemake(study, "results/checks/M1.json", "results/checks/M2.json").output


def test_below_a_modules_prefix_too(study, snakemake):
    (study / "Snakefile").write_text(MODULE.format(repository=REPOSITORY))
    run = snakemake(study, "ressat_check", "--dry-run", snakefile=study / "Snakefile")
    found = slides_read(run.output)
    assert found | {name: f"{study}/{slide}" for name, slide in SLIDES.items()} == found


@pytest.mark.parametrize("name", ["results", "logs"])
def test_a_dead_link_is_said_before_any_job(study, snakemake, name):
    (study / name).symlink_to("/mnt/gone")
    run = snakemake(study, "check", succeeds=False)
    assert f"{study}/{name}: a link to /mnt/gone, which is not there; expected" in run.output
    assert "Traceback" not in run.output
    assert not run.job_names
