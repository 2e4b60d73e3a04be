"""A change runs again what depends on it, and nothing else."""

import pytest
import yaml

from studies import copy_study

PREDICTED = {"predict_expression": 2, "evaluate_predictions": 1, "render_report": 1}
EVALUATED = {"evaluate_predictions": 1, "render_report": 1}
GRID = {"tile_slide": 1, "fit_stain": 1, "extract_features": 1, "predict_expression": 1, "render_report": 1}


@pytest.fixture(scope="module")
def study(micro, tmp_path_factory):
    return copy_study(micro, tmp_path_factory.mktemp("changed") / "micro", results=True)


@pytest.mark.parametrize(
    ("group", "setting", "value", "jobs"),
    [
        ("model", "headline", "direct", PREDICTED),
        ("evaluation", "panel_size", 5, EVALUATED),
        ("evaluation", "min_ceiling", 0.5, EVALUATED),
        ("tiling", "grid_um", 120, GRID),
        ("slide", "jpeg_quality", 80, {}),
        ("evaluation", "within_patient", True, {"check_leakage": 2, **EVALUATED}),
    ],
)
def test_a_setting_concerns_what_reads_it(micro, study, snakemake, group, setting, value, jobs):
    config = yaml.safe_load((micro / "config.yaml").read_text())
    config.setdefault(group, {})[setting] = value
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    announced = snakemake(study, "--dry-run").jobs
    # The report shows the settings.
    assert {**announced, "render_report": 1} == {**jobs, "render_report": 1}


def test_a_section_without_counts_trains_nothing(micro, study, snakemake):
    (study / "config.yaml").write_text((micro / "config.yaml").read_text())
    sheet = (micro / "samples.tsv").read_text()
    (study / "samples.tsv").write_text(sheet + f"M4\t{micro}/data/M1/slide.tiff\t\tP4\tpredict\n")
    assert snakemake(study, "--dry-run").jobs == {**GRID, "split_sections": 1}
