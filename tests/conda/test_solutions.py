"""Every environment file can be solved, and heavy packages stay where they are needed."""

import asyncio

import pytest
import yaml

from studies import REPOSITORY

ENVIRONMENTS = sorted(file.stem for file in (REPOSITORY / "envs").glob("*.yaml"))
# Heavy packages, and the environments that may hold them.
READS_COUNTS, ANALYSES = {"check_section", "read_expression"}, {"select_genes", "evaluation", "draw_figures"}
HEAVY = {
    "pytorch": {"features", "model"},
    "torchvision": {"features", "model"},
    "timm": {"features", "model"},
    "safetensors": {"features", "model"},
    "scanpy": ANALYSES,
    "squidpy": ANALYSES,
    "spatialdata": READS_COUNTS | ANALYSES,
    "numba": READS_COUNTS | ANALYSES,
    "scikit-learn": ANALYSES,
    "pyarrow": {"model"} | READS_COUNTS | ANALYSES,
    "matplotlib-base": {"report"} | ANALYSES,
    "scikit-image": {"tile_slide", "fit_stain"} | READS_COUNTS | ANALYSES,
    "openslide": {"check_section", "tile_slide", "fit_stain", "features"},
    "libvips": {"check_section", "prepare_slide", "simulate"},
    "snakemake": set(),
}


@pytest.fixture(scope="module")
def solutions(conda_folder, repository) -> dict[str, dict[str, str]]:
    """Package versions of every environment's solution, those of dependencies included."""
    from conda_environment import solve

    found = {}
    for name in ENVIRONMENTS:
        records = asyncio.run(solve(repository / "envs" / f"{name}.yaml", conda_folder / "channels"))
        found[name] = {record.name.normalized: str(record.version) for record in records}
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_has_what_it_names(solutions, repository, name):
    lines = yaml.safe_load((repository / "envs" / f"{name}.yaml").read_text())["dependencies"]
    assert {line.split()[0] for line in lines} <= set(solutions[name])


@pytest.mark.parametrize("package", HEAVY)
def test_a_heavy_package_is_only_where_it_is_needed(solutions, package):
    assert {name for name in ENVIRONMENTS if package in solutions[name]} == HEAVY[package]


def test_no_two_environments_hold_different_versions(solutions):
    """The channel has one version of each; a solution without it would have left bounds that exclude it."""
    versions = {pair for solution in solutions.values() for pair in solution.items()}
    assert len(versions) == len(dict(versions))


def test_the_environment_of_folds_is_python_alone(solutions):
    assert set(solutions["split_sections"]) == {"python"}
