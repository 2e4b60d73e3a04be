"""Which records and logs are of the present sheet and run."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ressat.base.files import FORMAT_VERSION
from ressat.workflow.check_outcome import (
    CheckOutcome,
    check_identity,
    log_states,
    records_of_other_sheets,
)
from ressat.workflow.study import Study

SHEET = """sample\tslide\texpression\tpatient\trole\tmpp
A1\tA1.svs\tA1.h5ad\tA\ttrain\t
B1\tB1.svs\tB1.h5ad\tB\ttest\t
X\tX.svs\t\t\tpredict\t0.5
"""

Load = Callable[..., Study]


@pytest.fixture
def load(repository, tmp_path, monkeypatch) -> Load:
    monkeypatch.chdir(tmp_path)
    for name in ("A1", "B1", "X", "B2"):
        Path(f"{name}.svs").write_bytes(b"slide")
        Path(f"{name}.h5ad").write_bytes(b"counts")

    def load(sheet: str = SHEET, **settings: dict) -> Study:
        Path("samples.tsv").write_text(sheet)
        config = yaml.safe_load((repository / "config.yaml").read_text())
        for group, values in settings.items():
            config[group] |= values
        return Study.load(config, "config.yaml", repository / "schemas")

    return load


def record(study: Study) -> None:
    """Write what the checks of a study write, as far as it matters here."""
    Path("results/checks").mkdir(parents=True, exist_ok=True)
    for name in study.sections:
        content = {"identity": check_identity(study, name), "version": FORMAT_VERSION}
        Path(f"results/checks/{name}.json").write_text(json.dumps(content))
    for name in study.counts:
        reference = {} if name == study.counts_reference else {"compared_with": study.counts_reference}
        Path(f"results/checks/{name}.genes.json").write_text(
            json.dumps(reference | {"version": FORMAT_VERSION})
        )


@pytest.mark.parametrize(
    ("old", "new", "settings", "others"),
    [
        ("", "", {}, set()),
        ("\tB\t", "\tB9\t", {}, set()),  # no check looks at patients
        ("B1.svs", "B2.svs", {}, {"B1.json"}),
        ("B1.h5ad", "B2.h5ad", {}, {"B1.json"}),
        ("\t0.5", "\t0.25", {}, {"X.json"}),
        ("\tB1.h5ad\tB\ttest", "\t\tB\tpredict", {}, {"B1.json"}),
        ("", "", {"tiling": {"min_on_tissue": 0.9}}, {"A1.json", "B1.json"}),
        ("", "", {"genes": {"ids": "ensembl"}}, {"A1.json", "B1.json"}),
        ("A1\tA1.svs\tA1.h5ad\tA", "A0\tB2.svs\tB2.h5ad\tA", {}, {"B1.genes.json"}),
    ],
)
def test_records_of_another_sheet_are_told(load, old, new, settings, others):
    record(load())
    study = load(SHEET.replace(old, new), **settings)
    assert set(records_of_other_sheets(study, ".")) == {f"results/checks/{name}" for name in others}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"version": 1}'])
@pytest.mark.parametrize("name", ["B1.json", "B1.genes.json"])
def test_a_record_that_cannot_be_read_is_of_no_sheet(load, name, content):
    study = load()
    record(study)
    Path("results/checks", name).write_bytes(content)
    assert records_of_other_sheets(study, ".") == [f"results/checks/{name}"]


def test_sections_without_a_record_have_none_to_tell(load):
    assert records_of_other_sheets(load(), ".") == []


@pytest.mark.parametrize("check", ["check_section", "check_genes"])
@pytest.mark.parametrize("ending", ["json", "log"])
def test_only_logs_that_a_run_wrote_are_its_own(load, check, ending):
    study = load()
    old, again, new = (Path(f"logs/{check}/{name}.{ending}") for name in ("A1", "B1", "X"))
    old.parent.mkdir(parents=True)
    for file in (old, again):
        file.write_text("text")
    before = log_states(study, ".")
    state = again.stat()
    again.rename("logs/earlier")
    again.write_text("text")
    os.utime(again, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    new.write_text("text")
    outcome = CheckOutcome.of_run(["results/checks/A1.json"], before, log_states(study, "."))
    assert outcome.logs == {str(again), str(new)}
    assert outcome.passed == {"results/checks/A1.json"}


def test_logs_lie_in_the_folder_of_the_study(load):
    study = load()
    Path("part/logs/check_section").mkdir(parents=True)
    Path("part/logs/check_section/A1.log").write_text("text")
    assert list(log_states(study, "part")) == ["logs/check_section/A1.log"]
    assert log_states(study, ".") == {}
