"""A path leads to the file that the system finds by it, whatever is in its name."""

import os
from pathlib import Path

import pytest

from ressat.base.errors import InputError, about
from ressat.workflow.schema import sheet_schema
from ressat.workflow.sheet import read_sheet
from ressat.workflow.user_paths import absolute, expand_path, keep_literal_paths, literal


@pytest.fixture(autouse=True)
def variables(monkeypatch, tmp_path):
    monkeypatch.setenv("RESSAT_TEST_DATA", "/data/study")
    monkeypatch.setenv("RESSAT_TEST_MONEY", "a$RESSAT_TEST_DATA")
    monkeypatch.setenv("HOME", "/home/some$one")
    monkeypatch.delenv("RESSAT_TEST_UNSET", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("$RESSAT_TEST_DATA/a.svs", "/data/study/a.svs"),
        ("${RESSAT_TEST_DATA}_2/a.svs", "/data/study_2/a.svs"),
        ("~/a.svs", "/home/some$one/a.svs"),
        ("~/$RESSAT_TEST_DATA", "/home/some$one//data/study"),
        ("plain/a.svs", "plain/a.svs"),
        ("cost$5.tiff", "cost$5.tiff"),
        ("100$/a$.svs", "100$/a$.svs"),
        ("a$$.svs", "a$$.svs"),
        ("a$-b$ c.svs", "a$-b$ c.svs"),
        ("$$RESSAT_TEST_DATA/a.svs", "$RESSAT_TEST_DATA/a.svs"),
        ("x$${RESSAT_TEST_DATA}.svs", "x${RESSAT_TEST_DATA}.svs"),
        ("$RESSAT_TEST_MONEY/a.svs", "a$RESSAT_TEST_DATA/a.svs"),
        ("${}.svs", "${}.svs"),
        ("data/../a.svs", "data/../a.svs"),
    ],
)
def test_variables_and_home_are_replaced_and_nothing_else(written, path):
    assert expand_path(written, "slide") == path


@pytest.mark.parametrize("path", ["$RESSAT_TEST_UNSET/a.svs", "x/${RESSAT_TEST_UNSET}/a.svs"])
def test_a_variable_that_is_not_set_is_named(path):
    said = "the environment variable RESSAT_TEST_UNSET is not set"
    with pytest.raises(InputError, match=said) as caught, about(file="config.yaml"):
        expand_path(path, "features.weights")
    assert f"config.yaml: features.weights is {path}" in str(caught.value)
    assert "may be written as $$" in str(caught.value)


@pytest.mark.parametrize("name", ["price$RESSAT_TEST_UNSET.svs", "${RESSAT_TEST_UNSET}"])
def test_a_file_with_just_that_name_is_found(name, tmp_path):
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides" / name).touch()
    assert expand_path(name, "slide", base=tmp_path / "slides") == name
    with pytest.raises(InputError):
        expand_path(name, "slide", base=tmp_path)


@pytest.mark.parametrize(
    ("link", "path"), [("data", "data/../slides/S1.svs"), ("a/b", "a/b/../../slides/S1.svs")]
)
def test_two_dots_lead_where_the_system_says(link, path, repository, tmp_path):
    """Behind a link they lead out of what it points to, as for ls; not to another file of that name."""
    for folder in ("far/slides", "far/data", "slides", "sheets"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "far/slides/S1.svs").write_text("this")
    (tmp_path / "slides/S1.svs").write_text("another patient's")
    (tmp_path / "sheets/slides").mkdir()
    (tmp_path / "sheets/slides/S1.svs").write_text("another patient's")
    place = tmp_path / "sheets" / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "far/data" if link == "data" else tmp_path / "far/data/inner")
    (tmp_path / "far/data/inner").mkdir()
    (tmp_path / "sheets/s.tsv").write_text(f"sample\tslide\trole\nS1\t{path}\tpredict\n")
    slide = read_sheet("sheets/s.tsv", sheet_schema(repository / "schemas"))["S1"].slide
    assert slide.read_text() == "this"
    assert Path(absolute(slide)).read_text() == "this"
    assert os.path.isabs(absolute(slide))
    assert absolute("/elsewhere/../a.svs") == "/elsewhere/../a.svs"


@pytest.mark.parametrize(
    "name",
    ["{sample}.tiff", "a{fold}b/{other}.svs", "x{a,\\d+}.h5ad", "{}.svs", "a<logs>b.svs", "<unknown>.svs"],
)
def test_snakemake_reads_nothing_into_a_marked_path(name):
    from snakemake.io import IOFile
    from snakemake.pathvars import Pathvars

    keep_literal_paths()
    keep_literal_paths()  # once more, as for a workflow that is imported twice
    file = IOFile(literal(name)).apply_wildcards({"sample": "S1", "fold": "all"})
    assert str(file) == name
    assert Pathvars.with_defaults().apply(file) == name
    assert str(IOFile(file).apply_wildcards({"sample": "S1"})) == name


def test_snakemake_fills_in_all_other_paths():
    from snakemake.io import IOFile
    from snakemake.pathvars import Pathvars

    keep_literal_paths()
    assert str(IOFile("results/{sample}.h5").apply_wildcards({"sample": "S1"})) == "results/S1.h5"
    assert Pathvars.with_defaults().apply("<logs>/a") == "logs/a"
