"""The code keeps the style that it promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from studies import copy_study, rules

EVERY_RULE = ("log", "conda", "threads", "resources", "script")
LONGEST_MODULE = 300


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"]])
def test_ruff_is_content(repository, command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=repository, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_snakefmt_is_content(repository):
    snakefmt = Path(sys.executable).parent / "snakefmt"
    run = subprocess.run(
        [snakefmt, "--check", "Snakefile", "rules"], cwd=repository, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_snakemake_lint_is_content(repository, snakemake, tmp_path):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "study")
    run = snakemake(study, "--lint")
    assert "Congratulations" in run.output


def test_every_rule_has_what_a_rule_has(repository):
    for name, text in rules(repository).items():
        missing = [word for word in EVERY_RULE if not re.search(rf"(?m)^    {word}:", text)]
        assert missing == [], name
        assert re.search(r"mem_mb=.*\n.*runtime=", text), name


def test_a_rule_and_its_script_and_its_log_share_a_name(repository):
    for name, text in rules(repository).items():
        assert f"../workflow_scripts/{name}.py" in text
        assert f'"logs/{name}' in text
        assert f'code=code_version("{name}")' in text
    scripts = {path.stem for path in (repository / "workflow_scripts").glob("*.py")}
    assert scripts == set(rules(repository))


def test_modules_are_short(repository):
    for path in (repository / "workflow_scripts").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE, path.name


def test_the_package_imports_nothing_by_itself(repository):
    assert (repository / "workflow_scripts/ressat/__init__.py").read_text() == ""
