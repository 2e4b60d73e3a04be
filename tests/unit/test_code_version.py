import shutil

import pytest

from ressat import code_version as module


@pytest.fixture
def tree(repository, tmp_path, monkeypatch):
    """A copy of the scripts and their library that may be edited."""
    scripts = tmp_path / "workflow_scripts"
    shutil.copytree(repository / "workflow_scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "SCRIPTS", scripts)
    return scripts


def version(script: str) -> str:
    """The version as a new process sees it: within one, what a file imports is remembered."""
    module._imports.cache_clear()
    return module.code_version(script)


def append(file, text: str = "\n# changed\n") -> None:
    file.write_text(file.read_text() + text)


@pytest.fixture(autouse=True)
def _forget():
    yield
    module._imports.cache_clear()


def test_every_script_has_a_version(tree):
    versions = {file.stem: version(file.stem) for file in tree.glob("*.py")}
    assert all(len(found) == 16 and set(found) <= set("0123456789abcdef") for found in versions.values())
    assert versions == {name: version(name) for name in versions}


@pytest.mark.parametrize("name", ["counts_reading", "space_ranger", "keys", "errors"])
def test_an_edited_module_changes_it_imported_directly_or_not(tree, name):
    before = version("read_expression")
    append(tree / "ressat" / f"{name}.py")
    assert version("read_expression") != before


def test_an_edited_template_changes_it_for_the_script_that_renders_it(tree):
    report, other = version("render_report"), version("read_expression")
    append(tree / "ressat/templates/report.html.j2")
    assert version("render_report") != report
    assert version("read_expression") == other


@pytest.mark.parametrize(
    "file", ["ressat/model.py", "ressat/stain.py", "train_model.py", "read_expression.py"]
)
def test_what_the_script_does_not_import_does_not_change_it(tree, file):
    before = version("read_expression")
    append(tree / file)
    (tree / "ressat/templates/unrelated.html").write_text("new")
    (tree / "ressat/new_module.py").write_text("import os\n")
    assert version("read_expression") == before


@pytest.mark.parametrize(
    "statement",
    [
        "from ressat import new_module",
        "from ressat.new_module import something",
        "import ressat.new_module",
        "import os, ressat.new_module as short",
        "def late():\n    from ressat import new_module",
    ],
)
def test_every_form_of_import_counts(tree, statement):
    (tree / "ressat/new_module.py").write_text("something = 1\n")
    append(tree / "ressat/keys.py", f"\n{statement}\n")
    before = version("read_expression")
    append(tree / "ressat/new_module.py")
    assert version("read_expression") != before


def test_modules_that_import_one_another_come_to_an_end(tree):
    (tree / "ressat/one.py").write_text("from ressat import two\n")
    (tree / "ressat/two.py").write_text("from ressat import one\n")
    (tree / "script.py").write_text("from ressat.one import x\n")
    names = [file.name for file in module.library_files(tree / "script.py")]
    assert names == ["one.py", "two.py"]


def test_where_the_checkout_lies_does_not_matter(tree, monkeypatch, repository):
    here = version("train_model")
    monkeypatch.setattr(module, "SCRIPTS", repository / "workflow_scripts")
    assert version("train_model") == here
