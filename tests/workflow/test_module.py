"""The workflow as a module of another one, which gives it its settings and, if it likes, a prefix."""

import shutil

import pytest
import yaml

from studies import content, copy_study

SNAKEFILE = """\
import yaml

with open("settings.yaml") as file:
    settings = yaml.safe_load(file)


module ressat:
    snakefile:
        "{repository}/Snakefile"
    config:
        settings
    {prefix}


use rule * from ressat as ressat_*


rule count_predictions:
    default_target: True
    input:
        "{folder}results/report.html",
        "{folder}results/folds/folds.tsv",
        predictions=expand("{folder}results/predictions/all/{{sample}}.h5ad", sample="M3"),
    output:
        "{folder}counted.txt",
    run:
        with open(output[0], "w") as file:
            file.write(str(len(input.predictions)))
"""


@pytest.fixture
def importing(repository, micro, tmp_path):
    """Write a workflow that has this one as a module, beside the micro-study's sheet and data."""

    def write(prefix: str = "") -> str:
        settings = yaml.safe_load((micro / "config.yaml").read_text())
        del settings["simulate"]  # its slides and counts are there: they are files that a user names
        (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings))
        text = SNAKEFILE.format(
            repository=repository,
            prefix=f'prefix:\n        "{prefix}"' if prefix else "",
            folder=f"{prefix}/" if prefix else "",
        )
        (tmp_path / "Snakefile").write_text(text)
        shutil.copy(micro / "samples.tsv", tmp_path)
        shutil.copytree(micro / "data", tmp_path / "data", dirs_exist_ok=True)
        return tmp_path

    return write


def results(folder) -> dict[str, object]:
    """What result files say, by their place; pictures and the page are not compared."""
    files = [
        path for path in (folder / "results").rglob("*") if path.suffix in (".tsv", ".json", ".h5", ".h5ad")
    ]
    return {str(path.relative_to(folder)): content(path) for path in files}


def test_below_a_prefix_it_makes_the_same_of_files_that_lie_where_the_user_says(micro, importing, snakemake):
    study = importing(prefix="expression")
    run = snakemake(study, snakefile=study / "Snakefile")
    made = {path.stem for path in (micro / "logs").iterdir()}
    elsewhere = {"simulate_section", "draw_figures", "share_model"}  # nobody asked for what these make
    expected = {"count_predictions"} | {f"ressat_{rule}" for rule in made - elsewhere}
    assert {name.split()[0] for name in run.job_names} == expected
    assert results(study / "expression") == results(micro)
    assert (study / "expression/counted.txt").read_text() == "1"
    assert not (study / "results").exists()
    assert not (study / "logs").exists()
    checked = snakemake(study, "ressat_check", snakefile=study / "Snakefile")
    assert "Problems" not in checked.output
    assert [line.split()[0] for line in checked.output.splitlines() if line.endswith("ok")] == [
        "M1",
        "M2",
        "M3",
    ]


def test_without_a_prefix_it_goes_on_with_the_results_that_are_there(micro, importing, snakemake):
    study = importing()
    copy_study(micro, study, results=True)
    (study / "config.yaml").unlink()  # none is read where settings are given
    (study / "results/report.html").unlink()
    (study / "results/evaluation/per_gene.tsv").unlink()
    run = snakemake(study, "--rerun-triggers", "mtime", snakefile=study / "Snakefile")
    assert run.job_names == {"ressat_evaluate_predictions", "ressat_render_report", "count_predictions"}
    assert results(study) == results(micro)


def test_wrong_settings_are_said_to_be_the_modules(importing, snakemake):
    study = importing()
    (study / "settings.yaml").write_text("stain: {method: macenco}\n")
    run = snakemake(study, "--dry-run", snakefile=study / "Snakefile", succeeds=False)
    assert 'the module\'s config: stain.method is "macenco"' in run.output
    assert "did you mean macenko?" in run.output
    assert "Traceback" not in run.output
