"""The code keeps the style that it promises."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ressat.code_version import library_files
from studies import copy_study

# conda-forge's names where they are not those of the import.
CONDA_NAMES = {
    "torch": "pytorch",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "openslide": "openslide-python",
    "matplotlib": "matplotlib-base",
    "yaml": "pyyaml",
}

EVERY_RULE = ("log", "conda", "threads", "resources", "script")
LONGEST_MODULE = 300


def rules(repository: Path) -> dict[str, str]:
    """Text of every rule that runs something, by name."""
    found = {}
    for file in sorted((repository / "rules").glob("*.smk")):
        for block in re.split(r"(?m)^(?=rule )", file.read_text())[1:]:
            found[block.split(":", 1)[0].removeprefix("rule ")] = block
    return found


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


def test_every_environment_belongs_to_a_rule(repository):
    named = set(re.findall(r"envs/(\w+)\.yaml", "".join(rules(repository).values())))
    assert named == {path.stem for path in (repository / "envs").glob("*.yaml")}


def imported_packages(file: Path) -> set[str]:
    """Packages that a file imports, but for type checkers alone."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(node.module.split(".")[0])
    return named - sys.stdlib_module_names - {"ressat"}


def test_environments_have_what_their_scripts_import(repository):
    for name, text in rules(repository).items():
        environment = re.search(r"envs/(\w+)\.yaml", text)[1]
        dependencies = yaml.safe_load((repository / f"envs/{environment}.yaml").read_text())["dependencies"]
        declared = {dependency.split()[0] for dependency in dependencies}
        script = repository / f"workflow_scripts/{name}.py"
        for file in [script, *(path for path in library_files(script) if path.suffix == ".py")]:
            needed = {CONDA_NAMES.get(package, package) for package in imported_packages(file)}
            assert needed <= declared, f"{name}: {file.name}"


def test_modules_are_short(repository):
    for path in (repository / "workflow_scripts").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE, path.name


def test_the_package_imports_nothing_by_itself(repository):
    assert (repository / "workflow_scripts/ressat/__init__.py").read_text() == ""
