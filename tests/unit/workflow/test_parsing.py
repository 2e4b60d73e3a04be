"""What runs while Snakemake parses needs the standard library, jsonschema and PyYAML, and nothing else."""

import os
import re
import subprocess
import sys

HEAVY = ["numpy", "pandas", "scipy", "torch", "torchvision", "h5py", "anndata", "openslide", "pyvips"]
HEAVY += ["tifffile", "PIL", "skimage", "sklearn", "matplotlib", "jinja2", "spatialdata", "pyarrow", "zarr"]
CODE = """
import sys
import jsonschema, yaml
before = {name.split(".")[0] for name in sys.modules}
for name in HEAVY:
    sys.modules[name] = None
from importlib import import_module
for name in MODULES:
    import_module(name)
from ressat.counts.formats.registry import FORMATS
from ressat.encoders.registry import ENCODERS
from ressat.workflow.schemes.registry import SCHEMES
for registry in (FORMATS, ENCODERS, SCHEMES):
    for name in registry.names:
        registry.load(name)
from ressat.workflow.code_version import versions_of
from ressat.workflow.members import members_of, words_of
from ressat.workflow.config_file import check_yaml
from ressat.workflow.settings import laid_over
from ressat.workflow.study import Study
check_yaml("config.yaml")
with open("config.yaml") as file:
    settings = yaml.safe_load(file)
study = Study.load(laid_over("../config.yaml", settings), "config.yaml", "../schemas")
assert words_of(study) and study.model_settings.candidates and study.fold_rows
assert versions_of(members_of(study))("train_model")
loaded = {name.split(".")[0] for name, module in sys.modules.items() if module is not None}
print(*sorted(loaded - before - sys.stdlib_module_names))
"""


def test_a_study_is_parsed_without_the_libraries_of_its_jobs(repository):
    rules = "\n".join(path.read_text() for path in (repository / "rules").glob("*.smk"))
    modules = sorted({"ressat.workflow.study", *re.findall(r"(?m)^from (ressat[\w.]*) import", rules)})
    assert len(modules) > 5
    head = f"HEAVY, MODULES = {HEAVY!r}, {modules!r}"
    run = subprocess.run(
        [sys.executable, "-c", f"{head}\n{CODE}"],
        cwd=repository / "demo",
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["ressat"], "third-party modules beyond jsonschema and PyYAML"
