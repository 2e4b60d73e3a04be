# ResSAT: from H&E slides to predicted spatial gene expression.
# Run a study with: snakemake --cores all --directory STUDY

from snakemake.utils import min_version

min_version("9.0")


configfile: workflow.source_path("config.yaml")


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/simulate.smk"
include: "rules/check.smk"
include: "rules/slides.smk"
include: "rules/expression.smk"
include: "rules/features.smk"
include: "rules/model.smk"
include: "rules/evaluation.smk"
include: "rules/trust.smk"
include: "rules/report.smk"
include: "rules/available.smk"
include: "rules/ending.smk"


localrules:
    all,
    available,
    check,


rule all:
    default_target: True
    input:
        report="results/report.html",
        figures=rules.draw_figures.output if study.tested else [],
        encoders_compared="results/evaluation/encoders.tsv" if compared else [],
        folds="results/folds/folds.tsv",
        encoders=expand("results/encoders/{encoder}.json", encoder=study.checked_encoders),
        checked=expand("results/folds/{fold}/sections.tsv", fold=study.trained_folds),
        models=expand("results/folds/{fold}/model.pt", fold=study.trained_folds),
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", study.predicted),


# Evaluation and report without the sections and folds that failed, in files of their own.
rule available:
    input:
        available_results,


# What the checks found is printed when Snakemake ends; see print_checks in rules/ending.smk.
rule check:
    input:
        check_records,
        expand("results/checks/{sample}.genes.json", sample=study.counts),
        expand("results/encoders/{encoder}.json", encoder=study.checked_encoders),
