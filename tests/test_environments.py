"""The conda environments: all that their rules import and nothing else, in versions that go together."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ressat.workflow.code_version import library_files
from studies import REPOSITORY, rules

ENVIRONMENTS = sorted(path.stem for path in (REPOSITORY / "envs").glob("*.yaml"))

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
# PyPI's names where they are not conda-forge's.
PYPI_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "openslide": "openslide-bin",
    "libvips": "pyvips-binary",
}
# What a rule needs and no script imports: libraries in C, and what pandas writes Parquet with.
BEHIND = {"openslide": "openslide-python", "libvips": "pyvips", "pyarrow": "pandas"}
# conda-forge's newest when the bounds were written, as its recipes say.
ON_CONDA_FORGE = {
    "pytorch": "2.13.0",
    "torchvision": "0.28.0",
    "squidpy": "1.8.1",
    "spatialdata": "0.8.0",
    "scanpy": "1.12.1",
    "openslide-python": "1.4.3",
    "pyvips": "3.0.0",
}


def bounds(environment: str) -> dict[str, SpecifierSet]:
    """What an environment file declares: bounds by conda-forge's name."""
    content = yaml.safe_load((REPOSITORY / f"envs/{environment}.yaml").read_text())
    return {
        name: SpecifierSet(versions)
        for name, _, versions in (dependency.partition(" ") for dependency in content["dependencies"])
    }


def rules_of(environment: str) -> list[str]:
    """Names of the rules that run in an environment."""
    return [name for name, text in rules(REPOSITORY).items() if f"envs/{environment}.yaml" in text]


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
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            named.add(ast.literal_eval(node.args[0]).split(".")[0])
    return named - sys.stdlib_module_names - {"ressat"}


def needed(rule: str) -> set[str]:
    """conda-forge's names of all that a rule's script and its library modules import."""
    script = REPOSITORY / f"workflow_scripts/{rule}.py"
    files = [script, *(path for path in library_files(script) if path.suffix == ".py")]
    packages = {package for file in files for package in imported_packages(file)}
    return {CONDA_NAMES.get(package, package) for package in packages}


def pinned() -> dict[str, Version]:
    """Versions of requirements.txt, by PyPI's name in lower case."""
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {one.name.lower(): Version(next(iter(one.specifier)).version) for one in found}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_belongs_to_a_rule(environment):
    assert rules_of(environment)


def test_every_rule_names_an_environment_that_is_there():
    for name, text in rules(REPOSITORY).items():
        assert re.search(r"\.\./envs/(\w+)\.yaml", text)[1] in ENVIRONMENTS, name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_channels_are_conda_forge_alone(environment):
    content = yaml.safe_load((REPOSITORY / f"envs/{environment}.yaml").read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert set(content) == {"channels", "dependencies"}


@pytest.mark.parametrize("rule", sorted(rules(REPOSITORY)))
def test_environments_have_what_their_scripts_import(rule):
    environment = re.search(r"envs/(\w+)\.yaml", rules(REPOSITORY)[rule])[1]
    assert needed(rule) <= set(bounds(environment))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environments_have_nothing_that_no_script_imports(environment):
    imported = set().union(*(needed(rule) for rule in rules_of(environment)))
    behind = {package for package, front in BEHIND.items() if front in imported}
    assert set(bounds(environment)) <= imported | behind | {"python"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_dependency_has_a_lower_and_an_upper_bound(environment):
    for package, specifier in bounds(environment).items():
        assert sorted(one.operator for one in specifier) == ["<", ">="], package


def test_a_package_has_the_same_bounds_in_every_environment():
    found = {}
    for environment in ENVIRONMENTS:
        for package, specifier in bounds(environment).items():
            assert found.setdefault(package, specifier) == specifier, f"{package} in {environment}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_bounds_admit_the_versions_that_the_tests_run_with(environment):
    versions = pinned() | {"python": Version(f"{sys.version_info.major}.{sys.version_info.minor}")}
    for package, specifier in bounds(environment).items():
        version = versions[PYPI_NAMES.get(package, package).lower()]
        assert version in specifier, f"{package} {version}"


def test_bounds_admit_what_conda_forge_has():
    for environment in ENVIRONMENTS:
        for package, specifier in bounds(environment).items():
            if package in ON_CONDA_FORGE:
                assert ON_CONDA_FORGE[package] in specifier, f"{package} in {environment}"
