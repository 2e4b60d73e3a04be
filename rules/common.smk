# What the rules share: the study's config and sheet, checked, and what rules name as inputs.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The checkout of this file, even if another workflow imports this one as a module.
checkout = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(checkout / "workflow_scripts"))

from ressat.base.errors import InputError, sentences
from ressat.base.gpu import count_gpus
from ressat.workflow.available import BESIDE, NOVELTY, SIGNATURES, missing_rows, without
from ressat.workflow.check_outcome import check_identity
from ressat.workflow.code_version import versions_of
from ressat.workflow.config_file import check_yaml
from ressat.workflow.failures import RECORD, read_failures
from ressat.workflow.folds import FOLD_ALL, FOLD_BUNDLE, tests_the_model_of_all
from ressat.workflow.job_environment import set_job_environment
from ressat.workflow.job_resources import grown, grown_with_tiles, network_minutes
from ressat.workflow.comparison import (
    compared_encoders,
    has_own_model,
    first_layers_read,
    hest_layers_of,
    model_settings_of,
    results_of,
)
from ressat.workflow.members import (
    encoder_versions,
    licences_of,
    members_of,
    section_versions,
    words_of,
)
from ressat.workflow.settings import laid_over
from ressat.workflow.shown_params import as_shown
from ressat.workflow.signatures import check_signatures_file, signatures_file
from ressat.workflow.study import BUNDLE_REFERENCE, IMAGE_REFERENCE, Study
from ressat.workflow.permissions import check_writable
from ressat.workflow.user_paths import absolute, keep_literal_paths, literal

# If an importing workflow gives this module its settings, no file is read.
config_file = "the module's config" if workflow.modifier.skip_configfile else "config.yaml"
try:
    # Snakemake has read those of the command line already; config.yaml it reads below.
    if not workflow.modifier.skip_configfile:
        for named_file in workflow.overwrite_configfiles if workflow.is_main_process else []:
            check_yaml(named_file)
        if os.path.lexists("config.yaml"):
            check_yaml("config.yaml")
except InputError as error:
    raise WorkflowError(str(error)) from None

if workflow.modifier.skip_configfile:
    pass
elif Path("config.yaml").exists():

    configfile: "config.yaml"

elif not workflow.overwrite_configfiles:
    raise WorkflowError(
        f"{os.getcwd()} has no config.yaml. A study is a folder with a config.yaml and a samples.tsv: "
        "name it with --directory, or try --directory demo."
    )


set_job_environment(sys.argv)
keep_literal_paths()

# Never two jobs on one GPU: no more GPU jobs run at a time than this machine has GPUs, and each takes its own
# GPU (ressat/base/gpu.py). On a cluster each job is given its own, and the profile says how many run at a time.
gpus = count_gpus() if workflow.is_main_process else 0
if gpus and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", gpus)

try:
    if workflow.is_main_process:
        check_writable(".")
    study = Study.load(laid_over(checkout / "config.yaml", config), config_file, checkout / "schemas")
    signature_sets = signatures_file(study.config, config_file)
    if workflow.is_main_process:
        check_signatures_file(signature_sets, config_file)
    failures = read_failures(Path(workflow.modifier.path_modifier.prefix or ".", RECORD))
except (InputError, ExceptionGroup) as error:
    raise WorkflowError(sentences(error)) from None

config = study.config
version, section_version = versions_of(members_of(study)), section_versions(study)
encoder_version = encoder_versions(study)

# Encoders whose weights can be downloaded, by the name of the network.
downloadable = {
    encoder.description.name: encoder for encoder in study.encoders.values() if encoder.description.published
}

# The encoders of the comparison, and a pattern of those of them that have a model of their own for it.
comparison = compared_encoders(study)
tested_sections = sorted({sample for _, sample in study.tested})
own_model = "|".join(name for name in comparison if has_own_model(study, name)) or "no_encoder"

# The prefix that an importing workflow gives to this module's paths, and its name for this target.
prefix = workflow.modifier.path_modifier.prefix or ""
available_target = workflow.modifier.modify_rulename("available")

# The study without what failed in earlier runs, for the target `available`.
available = without(study, failures)
missing = missing_rows(study, available, failures)
# Rules that failed and are no part of predictions and scores: the page is then made without what they make.
failed_beside = BESIDE & {failure.rule for failure in failures}
nothing_left = (
    f"Nothing can be evaluated or reported without what failed, which {Path(prefix, RECORD)} lists. Mend it, "
    f"or leave sections out with no in the column include of {config['samples']}."
)
if missing and not available.predicted and available_target in sys.argv:
    raise WorkflowError(nothing_left)  # at once, since Snakemake adds a traceback to what a function raises

# Input names of the counts files in all formats: the resources of the jobs grow with the size of these files.
COUNTS = "matrix counts h5ad elements"


wildcard_constraints:
    sample="[A-Za-z0-9_-]+",
    fold="|".join(study.folds),


# Sections whose features were made elsewhere.
features_elsewhere = [name for name, section in study.sections.items() if section.features]
features_here = [name for name in study.sections if name not in features_elsewhere]

simulated_sections = "|".join(config["simulate"].get("sections", {})) or "no_simulated_section"


def of_pairs(pattern, pairs):
    """Paths for pairs of fold and sample."""
    return [pattern.format(fold=fold, sample=sample) for fold, sample in pairs]


def if_not_failed(rules_needed, paths):
    """Paths that there are only if no job of some rules has failed."""
    return [] if failed_beside & rules_needed else paths


def of_trained(pattern, pairs):
    """Paths for the pairs whose fold trains a model here: a saved one says nothing of its training tiles."""
    return of_pairs(pattern, [pair for pair in pairs if pair[0] != FOLD_BUNDLE])


def training(pattern):
    """An input function: one file per training section of the wildcard fold."""
    return lambda wildcards: expand(pattern, sample=study.folds[wildcards.fold].train)


def labelled(pattern):
    """An input function: one file per section that the wildcard fold learns from or tests."""
    return lambda wildcards: expand(pattern, sample=study.folds[wildcards.fold].labelled)


def user_files(files, sample=None):
    """Files that the user names: no prefix of a module moves them, no wildcard is read in them.

    Simulated ones are results, and named like the outputs of their rule.
    """
    if isinstance(files, dict):
        return {name: user_files(file, sample) for name, file in files.items()}
    if isinstance(files, list):
        return [user_files(file, sample) for file in files]
    if sample in config["simulate"].get("sections", {}):
        return os.path.normpath(files)
    return literal(absolute(files) if prefix else files)


def sheet_slide(wildcards):
    return user_files(study.sections[wildcards.sample].slide, wildcards.sample)


def slide(wildcards):
    return study.converted_slide(wildcards.sample) or sheet_slide(wildcards)


def encoder_of(wildcards):
    """The encoder that a job is about: the one in its paths, by its name or its network's, or else the first."""
    name = wildcards.get("encoder")
    return study.encoders.get(name) or downloadable.get(name) or study.first_encoder


def given_features(wildcards):
    """The file of features that were made elsewhere."""
    return user_files(study.sections[wildcards.sample].features or [])


def given_patches(wildcards):
    """The file that says how large their patches are."""
    return user_files(study.sections[wildcards.sample].patches or [])


# Functions, since Snakemake's report shows other inputs with the variables in their paths replaced.
def weights_of(encoder):
    """Published weights are fetched, also under a module's prefix; others are where the user says."""
    return (encoder.weights or []) if encoder.fetches_weights else user_files(encoder.weights or [])


def encoder_weights(wildcards):
    return weights_of(encoder_of(wildcards))


def encoder_definition(wildcards):
    """The file of an encoder of the user's own."""
    return user_files(encoder_of(wildcards).description.definition or [])


def all_weights(wildcards):
    return [weights_of(encoder) for encoder in study.encoders.values() if encoder.weights]


def all_definitions(wildcards):
    own = [encoder.description.definition for encoder in study.encoders.values()]
    return [user_files(definition) for definition in own if definition]


def features_minutes(wildcards, input, attempt):
    """A resource: minutes that grow with tiles and network, of the encoder that the job is about."""
    network = encoder_of(wildcards).description
    minutes = network_minutes(network.parameters, network.tokens)
    return grown_with_tiles(20, minutes)(wildcards, input, attempt)


def encoder_seed(wildcards):
    """A param of encoders that may draw at random; the seed changes nothing for others."""
    return config["seed"] if encoder_of(wildcards).is_random else None


def encoders_read(wildcards):
    """Names of the encoders whose features a job reads: those of the study's model, or the one in its paths."""
    encoder = wildcards.get("encoder")
    return [encoder] if encoder else study.encoders_read


def encoder_names(wildcards):
    """A param: names by which jobs tell caches apart; none for one encoder, which may go by any name.

    A saved model may ask for it by name.
    """
    names = encoders_read(wildcards)
    return names if len(names) > 1 or wildcards.fold == FOLD_BUNDLE else []


def training_features(wildcards):
    """One file per training section of the wildcard fold, encoder by encoder."""
    sections = study.folds[wildcards.fold].train
    return [study.encoders[name].features(sample) for name in encoders_read(wildcards) for sample in sections]


def section_features(wildcards):
    """The section's file of each encoder."""
    return [study.encoders[name].features(wildcards.sample) for name in encoders_read(wildcards)]


def model_settings(wildcards):
    return model_settings_of(study, wildcards.get("encoder"))


def of_comparison(kind, pairs):
    """Paths in the results of every compared encoder's model, encoder by encoder."""
    patterns = [f"{results_of(study, name)}/{kind}/{{fold}}/{{sample}}.h5ad" for name in comparison]
    return [path for pattern in patterns for path in of_pairs(pattern, pairs)]


def features_of_comparison():
    """Caches of the tested sections, encoder by encoder."""
    return [study.encoders[name].features(sample) for name in comparison for sample in tested_sections]


def benchmarks_of_comparison():
    """Snakemake's records of how long these took."""
    return [
        prefix + study.encoders[name].benchmark(sample) for name in comparison for sample in tested_sections
    ]


def gene_list(wildcards):
    return user_files(study.gene_list or [])


def gene_sets(wildcards):
    return user_files(signature_sets or [])


def if_signatures(paths):
    """Paths that there are only with gene sets."""
    return paths if signature_sets else []


def if_tested(pattern):
    """An input function: a file of the wildcard section where it is a test section of the wildcard fold."""
    return lambda wildcards: pattern if wildcards.sample in study.folds[wildcards.fold].test else []


def code_version(script):
    """A param function: the version of a script's code, which only the jobs that there are have to know.

    For jobs about one encoder, no other encoder counts.
    """

    def of_job(wildcards):
        encoder = wildcards.get("encoder")
        return encoder_version(script, encoder) if encoder in study.encoders else version(script)

    return of_job


def encoder_code_version(script):
    """A param function: the version of code that works for one encoder, for which no other counts."""
    return lambda wildcards: encoder_version(script, encoder_of(wildcards).name)


def section_code_version(script):
    """A param function: the version of the code that reads counts, of which a section uses its own format alone."""
    return lambda wildcards: section_version(script, wildcards.sample)


def counts_if_labelled(wildcards):
    labelled = wildcards.sample in study.counts
    return f"results/expression/{wildcards.sample}.h5ad" if labelled else []


def counts_files(wildcards):
    labelled = wildcards.sample in study.counts
    return user_files(study.counts[wildcards.sample].files, wildcards.sample) if labelled else {}


def counts_source(wildcards):
    """Format and options of a section's counts, whose files are inputs; None without counts."""
    source = study.counts.get(wildcards.sample)
    return source and {"format": source.format, "options": source.options}


def genes_reference(wildcards):
    reference = study.counts_reference
    return f"results/checks/{reference}.genes.txt" if wildcards.sample != reference else []


def counts_if_tested(wildcards):
    tested = wildcards.sample in study.folds[wildcards.fold].test
    return f"results/expression/{wildcards.sample}.h5ad" if tested else []


def only_on_grid(setting):
    """A param that only sections with tiles on a grid have, so that changing it leaves the others alone."""
    placed = {*study.counts, *features_elsewhere}
    return lambda wildcards: None if wildcards.sample in placed else setting


def only_with_counts(setting):
    """A param that sections without counts do not have, so that changing it leaves them alone."""
    return lambda wildcards: setting if wildcards.sample in study.counts else None


def stain_reference(wildcards):
    return study.stain_reference(wildcards.sample) or []


def model(wildcards):
    if wildcards.get("encoder"):
        return f"results/encoders/{wildcards.encoder}/folds/{wildcards.fold}/model.pt"
    file = study.model(wildcards.fold)
    return user_files(file) if wildcards.fold == FOLD_BUNDLE else file


def baselines(wildcards):
    folder = f"results/encoders/{wildcards.encoder}" if wildcards.get("encoder") else "results"
    return f"{folder}/folds/{wildcards.fold}/baselines.h5"


# A saved model is looked at before hours of features; that it was replaced leaves them as they are.
bundle_first = ancient("results/bundle.json") if FOLD_BUNDLE in study.folds else []


def checked_bundle(wildcards):
    return "results/bundle.json" if wildcards.fold == FOLD_BUNDLE else []


def one_gpu(wildcards):
    """Of this machine, where it has any; of a cluster, which says itself where it has none."""
    return 1 if gpus or workflow.non_local_exec else None


def available_labelled(pattern):
    """An input function: one file per section that is left of those that the wildcard fold learns from or tests."""
    return lambda wildcards: expand(pattern, sample=available.folds[wildcards.fold].labelled)


def available_gene_checks(wildcards):
    """Checks of genes against the study's reference, or, where that one failed, against the first that is left."""
    same = available.counts_reference == study.counts_reference
    folder = "results/checks" if same else "results/available/checks"
    return available_labelled(f"{folder}/{{sample}}.genes.json")(wildcards)


def available_results(wildcards):
    """What the target `available` makes: the whole, unless something failed."""
    if not missing and not failed_beside:
        return rules.all.input
    if not available.predicted:
        raise WorkflowError(nothing_left)
    return ["results/available/report.html", "results/available/missing.tsv"]
