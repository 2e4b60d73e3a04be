# What the rules share: the study's config and sheet, checked, and what rules name as inputs.

import atexit
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from ressat.base import keys
from ressat.workflow.code_version import code_version
from ressat.base.errors import InputError, sentences
from ressat.base.gpu import count_gpus
from ressat.workflow.job_environment import set_job_environment
from ressat.workflow.job_resources import grown, grown_with_tiles
from ressat.workflow.settings import check_yaml
from ressat.workflow.study import BUNDLE_REFERENCE, IMAGE_REFERENCE, Study
from ressat.workflow.study_table import study_table
from ressat.workflow.writable import check_writable

if Path("config.yaml").exists():
    try:
        check_yaml("config.yaml")
    except InputError as error:
        raise WorkflowError(str(error)) from None

    configfile: "config.yaml"

elif not workflow.overwrite_configfiles:
    raise WorkflowError(
        f"{os.getcwd()} has no config.yaml. A study is a folder with a config.yaml and a samples.tsv: "
        "name it with --directory, or try --directory demo."
    )


set_job_environment(sys.argv)

# Never two jobs on one GPU: a run has no more of them at a time than this machine has GPUs, and each takes one
# of its own (ressat/base/gpu.py). On a cluster each job is given its own, and the profile says how many at a time.
gpus = count_gpus() if workflow.is_main_process else 0
if gpus and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", gpus)

try:
    if workflow.is_main_process:
        check_writable(".")
    study = Study.load(config, "config.yaml", Path(workflow.basedir) / "schemas")
except (InputError, ExceptionGroup) as error:
    raise WorkflowError(sentences(error)) from None


# Where the study is.
study_folder = os.getcwd()

# Names under which the files of counts are inputs, by format: what their jobs ask for goes by their sizes.
COUNTS = "matrix counts h5ad elements"


wildcard_constraints:
    sample="[A-Za-z0-9_-]+",
    fold="|".join(study.folds),


simulated_sections = "|".join(config["simulate"].get("sections", {})) or "no_simulated_section"


def of_pairs(pattern, pairs):
    """Paths for pairs of fold and sample."""
    return [pattern.format(fold=fold, sample=sample) for fold, sample in pairs]


def training(pattern):
    """An input function: one file per training section of the wildcard fold."""
    return lambda wildcards: expand(pattern, sample=study.folds[wildcards.fold].train)


def labelled(pattern):
    """An input function: one file per section that the wildcard fold learns from or tests."""
    return lambda wildcards: expand(pattern, sample=study.folds[wildcards.fold].labelled)


def slide(wildcards):
    return study.slide(wildcards.sample)


def counts_if_labelled(wildcards):
    labelled = wildcards.sample in study.counts
    return f"results/expression/{wildcards.sample}.h5ad" if labelled else []


def counts_files(wildcards):
    return study.counts[wildcards.sample][1] if wildcards.sample in study.counts else {}


def counts_format(wildcards):
    return study.counts[wildcards.sample][0] if wildcards.sample in study.counts else None


def counts_options(wildcards):
    return study.sections[wildcards.sample].counts_options


def genes_reference(wildcards):
    reference = study.counts_reference
    return f"results/checks/{reference}.genes.txt" if wildcards.sample != reference else []


def counts_if_tested(wildcards):
    tested = wildcards.sample in study.folds[wildcards.fold].test
    return f"results/expression/{wildcards.sample}.h5ad" if tested else []


def only_without_counts(setting):
    """A param that sections with counts do not have, so that changing it leaves them alone."""
    return lambda wildcards: None if wildcards.sample in study.counts else setting


def only_with_counts(setting):
    """A param that sections without counts do not have, so that changing it leaves them alone."""
    return lambda wildcards: setting if wildcards.sample in study.counts else None


def stain_reference(wildcards):
    return study.stain_reference(wildcards.sample) or []


def print_checks():
    """Say what all checks found, once Snakemake ends with the target `check`, if it had nothing to do too."""
    if workflow.dag_settings and "check" in workflow.dag_settings.targets and not workflow.dryrun:
        os.chdir(study_folder)  # Snakemake has left it
        print(study_table(study, ".", count_gpus()), file=sys.stderr)


if workflow.is_main_process:
    atexit.register(print_checks)


def model(wildcards):
    return study.model(wildcards.fold)


def checked_bundle(wildcards):
    return "results/bundle.json" if wildcards.fold == keys.FOLD_BUNDLE else []


def one_gpu(wildcards):
    """Of this machine, where it has any; of a cluster, which says itself where it has none."""
    return 1 if gpus or workflow.non_local_exec else None
