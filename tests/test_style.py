"""The code keeps the style that it promises."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from studies import copy_study, rules

EVERY_RULE = ("log", "conda", "threads", "resources", "script")
LONGEST_MODULE = 300
# A room's modules import only from their own room, and from those of the steps before it.
LADDER = (
    ("base", "stats"),
    ("slides", "counts", "figures", "simulate", "encoders"),
    ("tiles", "evaluation"),
    ("stain", "checks"),
    ("features", "workflow"),
    ("model", "report"),
    ("baselines", "trust", "export"),
)
CODE = ("workflow_scripts", "tests", "benchmarks")
# Modules that load pickle, and what passes text to a shell.
PICKLE = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SHELL = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}


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
        assert re.search(rf'\n        code=(section_|encoder_)?code_version\("{name}"\),', text), name
    scripts = {path.stem for path in (repository / "workflow_scripts").glob("*.py")}
    assert scripts == set(rules(repository))


def test_modules_are_short(repository):
    for path in (repository / "workflow_scripts").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE, path.name


def test_the_door_of_a_room_holds_a_docstring_and_nothing_else(repository):
    library = repository / "workflow_scripts/ressat"
    folders = {path.parent for path in library.rglob("*.py")}
    for folder in folders:
        (statement,) = ast.parse((folder / "__init__.py").read_text()).body
        assert isinstance(statement, ast.Expr), folder
        assert isinstance(ast.literal_eval(statement.value), str), folder


def imports_of(library: Path) -> dict[str, set[str]]:
    """Dotted names of the library's modules that each of its modules imports, wherever in its text."""
    names = {
        ".".join(("ressat", *path.relative_to(library).with_suffix("").parts)): path
        for path in library.rglob("*.py")
    }
    found = {}
    for name, path in names.items():
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name} imports by a relative name"
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        found[name] = imported & set(names)
    return found


def test_imports_go_down_the_ladder(repository):
    place = {room: step for step, rooms in enumerate(LADDER) for room in rooms}
    imports = imports_of(repository / "workflow_scripts/ressat")
    assert {name.split(".")[1] for name in imports} - {"__init__"} <= set(place)
    up = [
        f"{name} imports {other}"
        for name, imported in imports.items()
        for other in imported
        if name.split(".")[1] != other.split(".")[1]
        and place[other.split(".")[1]] >= place[name.split(".")[1]]
    ]
    assert up == []


def test_no_module_imports_itself_through_others(repository):
    TopologicalSorter(imports_of(repository / "workflow_scripts/ressat")).prepare()  # raises for a circle


def unsafe(tree: ast.AST) -> list[str]:
    """What in a module loads pickle or calls a shell, with its line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [f"{module}.{alias.name}" if module else alias.name for alias in node.names]
            banned = {"torch.load", *SHELL}  # under a name of their own they would pass unseen
            found += [(node, name) for name in names if name.split(".")[0] in PICKLE or name in banned]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            without = called.endswith("torch.load") and given.get("weights_only") != "True"
            pickled = called.endswith(".read_pickle") or given.get("allow_pickle", "False") != "False"
            if without or pickled or called in SHELL or given.get("shell", "False") != "False":
                found.append((node, called))
    return [f"line {node.lineno}: {name}" for node, name in found]


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "from os import system",
        "from torch import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "os.popen(command)",
    ],
)
def test_code_that_loads_pickle_or_calls_a_shell_is_recognised(code):
    assert len(unsafe(ast.parse(code))) == 1


def test_no_code_loads_pickle_or_calls_a_shell(repository):
    modules = [path for folder in CODE for path in (repository / folder).rglob("*.py")]
    assert len(modules) > 100
    for path in modules:
        assert unsafe(ast.parse(path.read_text())) == [], path
    rule_files = [repository / "Snakefile", *(repository / "rules").glob("*.smk")]
    words = r"\bshell\b|\bpickle\b|\bos\.(system|popen)\b|torch\.load"
    for path in rule_files:
        code = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
        assert re.findall(words, code) == [], path
