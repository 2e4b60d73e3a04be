"""docs/architecture.md and the code say the same: which rooms there are, and what an edit makes run again."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ressat.counts.formats.registry import FORMATS
from ressat.counts.readers.registry import READERS
from ressat.encoders.families.registry import FAMILIES
from ressat.encoders.registry import ENCODERS
from ressat.stain.methods.registry import METHODS
from ressat.workflow.code_version import LIBRARY, _used, code_version
from ressat.workflow.schemes.registry import SCHEMES

STUDY = {
    "counts/formats": ("space_ranger",),
    "counts/readers": ("space_ranger",),
    "stain/methods": ("macenko",),
    "encoders": ("resnet50",),
    "encoders/families": ("resnet",),
    "workflow/schemes": ("holdout",),
}
"""The members of registries that a study uses; the others are not its business."""


def changed(*modules: str) -> Callable[[Path], None]:
    """Change modules of the library."""

    def edit(library: Path) -> None:
        for module in modules:
            file = library / module
            file.write_text(file.read_text() + "\n# changed\n")

    return edit


def added(registry: str, member: str) -> Callable[[Path], None]:
    """Add a member to a registry, with a line in the list and a module of its own."""

    def edit(library: Path) -> None:
        changed(registry)(library)
        (library / registry).with_name(f"{member}.py").write_text("MEMBER = None\n")

    return edit


EDITS = {
    "a text column in usable_genes.tsv": changed("evaluation/usable_genes.py", "evaluation/text_columns.py"),
    "an error text of the scale check": changed("checks/scale_sources.py"),
    "a constant that several rooms share, such as a label of protocols": changed("evaluation/protocol.py"),
    "a chart of the report": changed("report/charts.py"),
    "a stain method added": added("stain/methods/registry.py", "vahadane"),
    "a format of counts added": added("counts/formats/registry.py", "parse"),
    "an encoder added": added("encoders/registry.py", "uni"),
    "a scheme of evaluation added": added("workflow/schemes/registry.py", "by_hospital"),
    "the reader of a format that the study does not have": changed("counts/readers/h5ad.py"),
    "the noise ceiling": changed("evaluation/ceiling.py"),
    "the writer of the feature cache": changed("features/cache_writer.py"),
    "the head, A or the loss": changed("model/network.py"),
    "how the head is trained": changed("model/training.py"),
    "how the kernel is fitted": changed("model/kernel_ridge.py"),
    "Macenko's stain normalisation": changed("stain/methods/macenko.py"),
    "a template of the report": changed("report/templates/report.html.j2"),
}
# After these no model is trained again: hours of work.
HARMLESS = list(EDITS)[:9]


@pytest.fixture(scope="module")
def text(repository) -> str:
    return (repository / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.fixture
def library(tmp_path) -> Path:
    """A copy of the library, beside the scripts, that may be edited."""
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(LIBRARY.parent, tmp_path / "workflow_scripts", ignore=left_out)
    return tmp_path / "workflow_scripts" / LIBRARY.name


def versions(library: Path) -> dict[str, str]:
    """Versions of all scripts, as a new process sees them."""
    _used.cache_clear()
    return {path.stem: code_version(path.stem, STUDY, library) for path in library.parent.glob("*.py")}


def documented(text: str) -> dict[str, set[str]]:
    """Rules by edit, of the table in the document."""
    table = text.split("## Who edits what makes which rules run again")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    return {row[0].strip(): set(re.findall(r"`(\w+)`", row[2])) for row in rows}


def test_every_edit_is_in_the_table(text):
    assert list(documented(text)) == list(EDITS)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_the_version_of_exactly_these_rules(library, text, edit):
    before = versions(library)
    EDITS[edit](library)
    after = versions(library)
    assert {rule for rule in after if after[rule] != before[rule]} == documented(text)[edit]


@pytest.mark.parametrize("edit", HARMLESS)
def test_no_model_is_trained_again_for_what_does_not_concern_it(text, edit):
    assert not documented(text)[edit] & {"train_model", "extract_features", "select_genes"}


def test_the_tree_has_a_line_for_every_room(text):
    rooms = {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"}
    tree = text.split("## The tree")[1].split("\n## ")[0]
    listed = re.findall(r"(?m)^ {6}(\w+)/ ", tree)
    assert len(listed) == len(set(listed))
    assert set(listed) == rooms


def test_the_tree_says_which_rules_every_file_has(repository, text):
    tree = text.split("## The tree")[1].split("\n## ")[0]
    listed = {name: set(rules.split(", ")) for name, rules in re.findall(r"(?m)^ {4}(\w+\.smk) +(.+)$", tree)}
    files = {
        path.name: set(re.findall(r"(?m)^rule (\w+):", path.read_text()))
        for path in (repository / "rules").glob("*.smk")
    }
    assert listed == {name: rules for name, rules in files.items() if rules}


def test_the_members_of_every_registry_are_listed(text):
    table = text.split("| registry | members |")[1].split("\n\n")[0]
    listed = {
        folder: set(re.findall(r"`(\w+)`", members))
        for folders, members in re.findall(r"(?m)^\| (`.+?) \| (.+) \|$", table)
        for folder in re.findall(r"`([\w/]+)/`", folders)
    }
    assert listed == {
        registry.package.removeprefix("ressat.").replace(".", "/"): set(registry.names)
        for registry in (ENCODERS, FAMILIES, FORMATS, METHODS, READERS, SCHEMES)
    }


def test_every_file_that_the_document_names_is_there(repository, text):
    named = set(re.findall(r"`([\w./-]+/[\w.*{}-]*|[\w-]+\.(?:py|smk|md|yaml|json|txt))`", text))
    assert len(named) > 50
    places = [
        repository,
        repository / "workflow_scripts",
        LIBRARY,
        repository / "docs",
        repository / "schemas",
    ]
    lost = [name for name in named if "{" not in name and not any(list(place.glob(name)) for place in places)]
    assert lost == []
