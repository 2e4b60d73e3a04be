"""A change runs again what depends on it and nothing else: every row of docs/reruns.md, job by job.

In the micro-study models learn from M1: that of the fold `holdout` is tested on M2, that of the fold `all`
predicts M3, which has no counts.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from own_encoders import OWN

from ressat.workflow.code_version import library_files
from studies import copy_study

SECTIONS = ("M1", "M2", "M3")
SCORED = {"evaluate_predictions", "share_model", "render_report", "draw_figures"}
PREDICTED_M2 = {
    *("predict_expression holdout M2", "predict_baselines holdout M2", "cluster_spots holdout M2"),
    "measure_novelty holdout M2",
    *SCORED,
}
OF_M3 = {"predict_expression all M3", "measure_novelty all M3"}
PREDICTED = OF_M3 | PREDICTED_M2
NOVELTY = {"fit_novelty holdout", "fit_novelty all"}
TRAINED = {"train_model holdout", "train_model all", "fit_baselines holdout"} | NOVELTY | PREDICTED
MODELS = TRAINED - {"fit_baselines holdout", "predict_baselines holdout M2"}
CHECKED = {"check_leakage holdout", "check_leakage all"}
SELECTED = {"select_genes holdout", "select_genes all"}


def features(*sections: str) -> set[str]:
    return {f"{rule} {name}" for name in sections for rule in ("fit_stain", "extract_features")}


def tiles(*sections: str) -> set[str]:
    return features(*sections) | {f"tile_slide {name}" for name in sections}


def counts(*sections: str) -> set[str]:
    rules = ("check_section", "check_genes", "read_expression")
    return {f"{rule} {name}" for name in sections for rule in rules}


def replace_slide(section: str) -> Callable[[Path], None]:
    """Another scan of the section: a pixel is changed."""

    def edit(study: Path) -> None:
        slide = study / f"data/{section}/slide.tiff"
        content = bytearray(slide.read_bytes())
        content[len(content) // 2] ^= 1
        slide.write_bytes(content)

    return edit


def replace_counts(section: str) -> Callable[[Path], None]:
    def edit(study: Path) -> None:
        with h5py.File(study / f"data/{section}/outs/filtered_feature_bc_matrix.h5", "r+") as file:
            data = file["matrix/data"]
            data[:] = np.asarray(data) + 1

    return edit


def set_to(group: str, name: str, value: object) -> Callable[[Path], None]:
    def edit(study: Path) -> None:
        config = yaml.safe_load((study / "config.yaml").read_text())
        config.setdefault(group, {})[name] = value
        (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    return edit


def thinned(study: Path) -> None:
    set_to("expression", "unit", "thinned")(study)
    set_to("expression", "depth", 500)(study)


def own_weights(study: Path) -> None:
    (study / "weights.pth").write_bytes(b"a state dict: a dry run does not open it")
    set_to("features", "weights", str(study / "weights.pth"))(study)


def further_encoder(study: Path) -> None:
    (study / "shades.py").write_text(OWN)
    encoders = [{"encoder": "resnet50", "weights": "random"}, {"encoder": "shades.py"}]
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["features"] = {"precision": config["features"]["precision"], "encoders": encoders}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def add_row(row: str) -> Callable[[Path], None]:
    def edit(study: Path) -> None:
        sheet = study / "samples.tsv"
        sheet.write_text(sheet.read_text() + row.replace(" ", "\t") + "\n")

    return edit


def remove_row(section: str) -> Callable[[Path], None]:
    def edit(study: Path) -> None:
        sheet = study / "samples.tsv"
        lines = sheet.read_text().splitlines(keepends=True)
        sheet.write_text("".join(line for line in lines if not line.startswith(f"{section}\t")))
        config = yaml.safe_load((study / "config.yaml").read_text())
        config["simulate"]["sections"].pop(section, None)
        (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    return edit


def rename_patient(study: Path) -> None:
    sheet = study / "samples.tsv"
    sheet.write_text(sheet.read_text().replace("\tP1\t", "\tP9\t"))


def comment(study: Path) -> None:
    config = study / "config.yaml"
    config.write_text("# Tried last Friday.\n" + config.read_text() + "\n# The end.\n")


def touch(*files: str) -> Callable[[Path], None]:
    def edit(study: Path) -> None:
        for file in files:
            (study / file).touch()

    return edit


# M3 was simulated with counts, which the sheet does not name: they serve as those of a further section.
M4 = "M4 data/M3/slide.tiff data/M3/outs P4"
OF_M4 = counts("M4") | tiles("M4")
# Rows that are run for real, and one whose state before the change is that after the first.
ADDED, SETTING, REMOVED = "a test section added", "`evaluation.min_ceiling`", "a test section removed"
MODULE = "`ressat/evaluation/ceiling.py`, for example, edited"

# All that is made of a section begins with its check, which looks at slide and counts together.
REPLACED_M2 = counts("M2") | tiles("M2") | {"estimate_ceiling M2", "check_leakage holdout"} | PREDICTED_M2
# The gene names of M1, the first section, are those that all others are compared with.
REPLACED_M1 = counts("M1") | {"check_genes M2"} | tiles("M1") | CHECKED | SELECTED | TRAINED

ROWS = {
    "slide or counts of a test section replaced": (replace_slide("M2"), REPLACED_M2),
    "slide or counts of a training section replaced": (replace_slide("M1"), REPLACED_M1),
    "the slide of a section without counts replaced": (
        replace_slide("M3"),
        {"check_section M3"} | tiles("M3") | OF_M3 | {"render_report"},
    ),
    ADDED: (
        add_row(f"{M4} test"),
        OF_M4
        | {"estimate_ceiling M4", "split_sections", "check_leakage holdout"}
        | {"predict_expression holdout M4", "predict_baselines holdout M4", "cluster_spots holdout M4"}
        | {"measure_novelty holdout M4"}
        | SCORED,
    ),
    "a training section added": (
        add_row(f"{M4} train"),
        OF_M4 | {"split_sections"} | CHECKED | SELECTED | TRAINED,
    ),
    "a section without counts added": (
        add_row("M4 data/M1/slide.tiff  P4 predict"),
        {"check_section M4"}
        | tiles("M4")
        | {"split_sections", "predict_expression all M4", "measure_novelty all M4", "render_report"},
    ),
    "a section without counts removed": (remove_row("M3"), {"split_sections", "render_report"}),
    "the patient of a training section renamed": (
        rename_patient,
        {"split_sections"} | CHECKED | TRAINED,
    ),
    "`genes.ids`": (
        set_to("genes", "ids", "ensembl"),
        counts("M1", "M2") | {"estimate_ceiling M2"} | tiles("M1", "M2") | CHECKED | SELECTED | TRAINED,
    ),
    "`stain.method`": (set_to("stain", "method", "reinhard"), features(*SECTIONS) | TRAINED),
    "`tiling.tile_um`": (set_to("tiling", "tile_um", 120), tiles(*SECTIONS) | CHECKED | TRAINED),
    "`tiling.grid_um`": (
        set_to("tiling", "grid_um", 120),
        tiles("M3") | OF_M3 | {"render_report"},
    ),
    "`features.weights`": (
        own_weights,
        {"check_encoder resnet50"} | {f"extract_features {name}" for name in SECTIONS} | TRAINED,
    ),
    "`features.mean` or `features.sd`": (
        set_to("features", "mean", [0.7, 0.54, 0.66]),
        {f"extract_features {name}" for name in SECTIONS} | TRAINED,
    ),
    "an encoder added to `features.encoders`": (
        further_encoder,
        {
            "check_encoder shades",
            *(f"extract_further_features shades {name}" for name in ("M1", "M2")),
            *(f"{rule}_of_encoder shades holdout" for rule in ("train_model", "fit_baselines")),
            *(f"{rule}_of_encoder shades holdout M2" for rule in ("predict_expression", "predict_baselines")),
            *("compare_encoders", "render_report", "draw_figures"),
        },
    ),
    "`expression.unit`": (thinned, SELECTED | TRAINED | {"estimate_ceiling M2"}),
    "`genes.number`": (set_to("genes", "number", 10), SELECTED | TRAINED),
    "`model.learning_rate`, or how else a model is trained": (
        set_to("model", "learning_rate", 0.001),
        MODELS,
    ),
    "`model.headline`": (
        set_to("model", "headline", "direct"),
        PREDICTED - {"predict_baselines holdout M2"},
    ),
    SETTING: (set_to("evaluation", "min_ceiling", 0.99), SCORED),
    "`evaluation.within_patient`": (set_to("evaluation", "within_patient", True), CHECKED | SCORED),
    "`report.genes`": (set_to("report", "genes", 3), {"render_report"}),
    "`report.always`": (set_to("report", "always", ["G001"]), {"render_report"}),
    "`report.clusters`": (set_to("report", "clusters", 3), {"cluster_spots holdout M2", "render_report"}),
    "a comment in the config": (comment, set()),
    "`touch` of sheet, config or small counts": (
        touch("samples.tsv", "config.yaml", "data/M1/outs/filtered_feature_bc_matrix.h5"),
        set(),
    ),
}
TOGETHER = [
    ("`model.learning_rate`, or how else a model is trained", "`evaluation.within_patient`"),
    ("`model.learning_rate`, or how else a model is trained", "slide or counts of a test section replaced"),
    ("`tiling.grid_um`", "slide or counts of a training section replaced"),
    ("the patient of a training section renamed", "`evaluation.min_ceiling`"),
]
OF_CEILING = {"estimate_ceiling M2", *SCORED}
AFTER_REMOVAL = {"split_sections", "check_leakage holdout", *SCORED}


@pytest.fixture
def study(micro, tmp_path):
    return copy_study(micro, tmp_path / "micro", results=True)


@pytest.fixture(scope="module")
def with_m4(micro, snakemake, tmp_path_factory):
    """The micro-study run again with a further test section, and what that run did."""
    study = copy_study(micro, tmp_path_factory.mktemp("added") / "micro", results=True)
    ROWS[ADDED][0](study)
    return study, snakemake(study)


@pytest.mark.parametrize("change", ROWS)
def test_a_change_announces_exactly_the_jobs_that_depend_on_it(study, snakemake, change):
    edit, jobs = ROWS[change]
    edit(study)
    assert snakemake(study, "--dry-run").job_names == jobs


@pytest.mark.parametrize(("section", "jobs"), [("M1", REPLACED_M1), ("M2", REPLACED_M2)])
def test_replaced_counts_announce_what_a_replaced_slide_does(study, snakemake, section, jobs):
    replace_counts(section)(study)
    assert snakemake(study, "--dry-run").job_names == jobs


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_two_changes_at_once_announce_the_jobs_of_both(study, snakemake, one, other):
    """Snakemake asks for no further reason of a job downstream of one that runs, ancient files or not."""
    for change in (one, other):
        ROWS[change][0](study)
    assert snakemake(study, "--dry-run").job_names == ROWS[one][1] | ROWS[other][1]


def test_a_run_does_exactly_what_was_announced(with_m4, snakemake):
    study, run = with_m4
    assert run.job_names == ROWS[ADDED][1]
    assert snakemake(study, "--dry-run").job_names == set()


def test_a_setting_of_the_evaluation_is_all_that_is_run_again(study, snakemake):
    edit, jobs = ROWS[SETTING]
    before = (study / "results/evaluation/usable_genes.tsv").read_text()
    edit(study)
    assert snakemake(study).job_names == jobs
    assert (study / "results/evaluation/usable_genes.tsv").read_text() != before
    assert snakemake(study, "--dry-run").job_names == set()


def test_a_removed_test_section_is_scored_no_more(with_m4, snakemake, tmp_path):
    study = copy_study(with_m4[0], tmp_path / "micro", results=True)
    remove_row("M4")(study)
    assert snakemake(study, "--dry-run").job_names == AFTER_REMOVAL


def test_an_edited_module_runs_the_rules_that_use_it(repository, study, snakemake, tmp_path):
    checkout = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "tests", "results", "logs", "data", "resources")
    shutil.copytree(repository, checkout, ignore=left_out)
    assert snakemake(study, "--dry-run", snakefile=checkout / "Snakefile").job_names == set()
    module = checkout / "workflow_scripts/ressat/evaluation/ceiling.py"
    module.write_text(module.read_text() + "\n# Edited.\n")
    announced = snakemake(study, "--dry-run", snakefile=checkout / "Snakefile").job_names
    users = {
        script.stem
        for script in (checkout / "workflow_scripts").glob("*.py")
        if "ceiling.py" in {file.name for file in library_files(script)}
    }
    assert users == {"estimate_ceiling", "score_signatures"}
    assert announced == OF_CEILING


def test_a_touched_file_too_large_to_compare_runs_again(study, snakemake):
    (study / "data/M2/slide.tiff").touch()
    assert snakemake(study, "--dry-run").job_names == set()
    announced = snakemake(study, "--dry-run", "--max-checksum-file-size", "100000").job_names
    assert announced == ROWS["slide or counts of a test section replaced"][1]


def test_a_rule_can_be_forced(study, snakemake):
    announced = snakemake(study, "--dry-run", "--forcerun", "fit_stain").job_names
    assert announced == features(*SECTIONS) | TRAINED


def test_a_single_target_makes_one_section_alone(repository, snakemake, tmp_path):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "micro")
    announced = snakemake(study, "results/features/M2.h5", "--dry-run").job_names
    assert {
        name.split()[-1] for name in announced if name.split()[0] not in ("check_section", "check_genes")
    } <= {"M1", "M2"}
    assert "extract_features M2" in announced
    assert announced & {"extract_features M1", "train_model holdout"} == set()


def test_the_table_of_the_document_says_the_same(repository):
    text = (repository / "docs/reruns.md").read_text(encoding="utf-8")
    described = re.findall(r"(?m)^- (\w+): (.*)$", text)
    stages = {stage: re.findall(r"`(\w+)`", rules) for stage, rules in described}
    lines = [line for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert header[1:] == list(stages)
    written = {
        row[0]: {stage for stage, cell in zip(stages, row[1:], strict=True) if cell == "x"} for row in rows
    }
    promised = {change: jobs for change, (_, jobs) in ROWS.items()} | {
        REMOVED: AFTER_REMOVAL,
        MODULE: OF_CEILING,
    }
    ran = {change: {job.split()[0] for job in jobs} for change, jobs in promised.items()}
    assert set().union(*ran.values()) == {rule for rules in stages.values() for rule in rules}
    assert written == {
        change: {stage for stage, of_stage in stages.items() if rules & set(of_stage)}
        for change, rules in ran.items()
    }
