import shutil

import pytest

from ressat.workflow.code_version import LIBRARY, _used, code_version, library_files


@pytest.fixture
def library(tmp_path):
    """A copy of the library, beside the scripts, that may be edited."""
    scripts = tmp_path / "workflow_scripts"
    shutil.copytree(LIBRARY.parent, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    return scripts / LIBRARY.name


@pytest.fixture
def version(library):
    """Give a script's version as a new process sees it: within one, what a file imports is remembered."""

    def read(script: str) -> str:
        _used.cache_clear()
        return code_version(script, library=library)

    return read


def append(file, text: str = "\n# changed\n") -> None:
    file.write_text(file.read_text() + text)


def test_every_script_has_a_version(library, version):
    versions = {file.stem: version(file.stem) for file in library.parent.glob("*.py")}
    assert len(versions) > 20
    assert all(len(found) == 16 and set(found) <= set("0123456789abcdef") for found in versions.values())
    assert versions == {name: version(name) for name in versions}


@pytest.mark.parametrize("name", ["counts/usable_spots", "counts/text_cells", "base/errors", "base/files"])
def test_an_edited_module_changes_it_imported_directly_or_not(library, version, name):
    before = version("read_expression")
    append(library / f"{name}.py")
    assert version("read_expression") != before


@pytest.mark.parametrize("name", ["report.html.j2", "report.css", "report.js", "report_methods.txt.j2"])
def test_an_edited_template_changes_it_for_the_script_that_renders_it(library, version, name):
    report, other = version("render_report"), version("read_expression")
    append(library / "report/templates" / name)
    assert version("render_report") != report
    assert version("read_expression") == other


@pytest.mark.parametrize(
    "file",
    ["ressat/model/network.py", "ressat/stain/sampling.py", "train_model.py", "read_expression.py"],
)
def test_what_the_script_does_not_import_does_not_change_it(library, version, file):
    before = version("read_expression")
    append(library.parent / file)
    (library / "report/templates/unrelated.html").write_text("new")
    (library / "counts/new_module.py").write_text("import os\n")
    (library / "counts/__init__.py").write_text('"""Another docstring."""\n')
    assert version("read_expression") == before


def test_a_module_that_moves_to_another_room_changes_it(library, version):
    before = version("read_expression")
    for file in (*library.rglob("*.py"), *library.parent.glob("*.py")):
        file.write_text(file.read_text().replace("ressat.counts.text_cells", "ressat.base.text_cells"))
    (library / "counts/text_cells.py").rename(library / "base/text_cells.py")
    assert version("read_expression") != before


@pytest.mark.parametrize(
    "statement",
    [
        "from ressat.counts import new_module",
        "from ressat.counts import (\n    ensembl,\n    new_module as short,\n)",
        "from ressat.counts.new_module import something",
        "import ressat.counts.new_module",
        "import os, ressat.counts.new_module as short",
        "def late():\n    from ressat.counts import new_module",
    ],
)
def test_every_form_of_import_counts(library, version, statement):
    (library / "counts/new_module.py").write_text("something = 1\n")
    append(library / "base/errors.py", f"\n{statement}\n")
    before = version("read_expression")
    append(library / "counts/new_module.py")
    assert version("read_expression") != before


def test_modules_of_one_name_in_two_rooms_are_told_apart(library, version):
    before = version("read_expression")
    for room in ("counts", "slides"):
        (library / f"{room}/twin.py").write_text("value = 1\n")
    append(library / "base/errors.py", "\nfrom ressat.counts.twin import value\n")
    with_twin = version("read_expression")
    append(library / "slides/twin.py")
    assert version("read_expression") == with_twin != before


def test_of_a_registry_the_members_that_a_study_uses_count_and_not_the_list(library):
    def version(*formats: str) -> str:
        _used.cache_clear()
        return code_version(
            "read_expression", {"counts/formats": formats, "counts/readers": formats}, library
        )

    before = version("h5ad"), version("h5ad", "legacy")
    append(library / "counts/readers/legacy.py")
    append(library / "counts/readers/registry.py")
    assert version("h5ad") == before[0]
    assert version("h5ad", "legacy") != before[1]


def test_modules_that_import_one_another_come_to_an_end(library):
    (library / "base/one.py").write_text("from ressat.base import two\n")
    (library / "base/two.py").write_text("from ressat.base import one\n")
    (library.parent / "script.py").write_text("from ressat.base.one import x\n")
    files = library_files(library.parent / "script.py", library=library)
    assert files == [library / "base/one.py", library / "base/two.py"]


def test_where_the_checkout_lies_does_not_matter(version):
    assert version("train_model") == code_version("train_model")
