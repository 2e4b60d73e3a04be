# Evaluation and report of what there is, if sections or folds failed: the target `available`. It has files of its own,
# so that a part is never taken for the whole.


localrules:
    check_available_genes,
    list_missing,


use rule check_genes as check_available_genes with:
    input:
        genes="results/checks/{sample}.genes.txt",
        reference=lambda wildcards: f"results/checks/{available.counts_reference}.genes.txt",
        listed=gene_list,
    output:
        checked="results/available/checks/{sample}.genes.json",
    log:
        "logs/available/check_genes/{sample}.log",
    params:
        counts=lambda wildcards: str(study.sections[wildcards.sample].expression),
        reference=available.counts_reference,
        learns=lambda wildcards: study.is_training_section(wildcards.sample),
        code=code_version("check_genes"),


use rule check_leakage as check_available_leakage with:
    input:
        tiles=available_labelled("results/tiles/{sample}.h5"),
        expression=available_labelled("results/expression/{sample}.h5ad"),
        checked=available_gene_checks,
    output:
        sections="results/available/folds/{fold}/sections.tsv",
    log:
        "logs/available/check_leakage/{fold}.log",
    params:
        sections=lambda wildcards: available.folds[wildcards.fold].labelled,
        patients=lambda wildcards: study.patients(available.folds[wildcards.fold].labelled),
        sides=lambda wildcards: available.sides(wildcards.fold),
        within_patient=study.allows_within_patient,
        code=code_version("check_leakage"),


use rule evaluate_predictions as evaluate_available with:
    input:
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", available.tested),
        baselines=of_pairs("results/baselines/{fold}/{sample}.h5ad", available.tested),
        ceilings=of_pairs("results/ceiling/{sample}.tsv", available.tested),
        folds=expand("results/available/folds/{fold}/sections.tsv", fold=available.tested_folds),
    output:
        per_gene="results/available/evaluation/per_gene.tsv",
        per_section="results/available/evaluation/per_section.tsv",
        summary="results/available/evaluation/summary.tsv",
        usable_genes="results/available/evaluation/usable_genes.tsv",
        scales="results/available/evaluation/scales.tsv",
    log:
        "logs/available/evaluate_predictions.log",
    benchmark:
        "benchmarks/available/evaluate_predictions.tsv"
    params:
        folds=available.tested_folds,
        headline=config["model"]["headline"],
        panel_size=config["evaluation"]["panel_size"],
        min_ceiling=config["evaluation"]["min_ceiling"],
        unit=study.unit,
        code=code_version("evaluate_predictions"),


use rule evaluate_signatures as evaluate_available_signatures with:
    input:
        tables=of_pairs("results/signatures/{fold}/{sample}.tsv", available.tested),
    output:
        signatures="results/available/evaluation/signatures.tsv",
    log:
        "logs/available/evaluate_signatures.log",
    params:
        code=code_version("evaluate_signatures"),


use rule render_report as render_available with:
    input:
        per_gene="results/available/evaluation/per_gene.tsv" if available.tested else [],
        per_section="results/available/evaluation/per_section.tsv" if available.tested else [],
        summary="results/available/evaluation/summary.tsv" if available.tested else [],
        usable_genes="results/available/evaluation/usable_genes.tsv" if available.tested else [],
        scales="results/available/evaluation/scales.tsv" if available.tested else [],
        encoders=[],
        signatures=if_not_failed(
            SIGNATURES,
            if_signatures("results/available/evaluation/signatures.tsv" if available.tested else []),
        ),
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", available.predicted),
        checked=expand("results/available/folds/{fold}/sections.tsv", fold=available.trained_folds),
        interaction_spots=of_pairs("results/interaction/{fold}/{sample}.tsv", available.tested),
        interaction_summaries=of_pairs("results/interaction/{fold}/{sample}.json", available.tested),
        interaction_genes=of_pairs("results/interaction/{fold}/{sample}.genes.tsv", available.tested),
        novelty=if_not_failed(
            NOVELTY, of_trained("results/novelty/{fold}/{sample}.json", available.predicted)
        ),
        novelty_spots=if_not_failed(
            NOVELTY, of_trained("results/novelty/{fold}/{sample}.tsv", available.predicted)
        ),
        histories=expand("results/folds/{fold}/history.tsv", fold=available.trained_folds),
        tiles=expand("results/tiles/{sample}.h5", sample=available.sections),
        overlays=expand("results/tiles/{sample}.png", sample=available.sections),
        stains=expand("results/stain/{sample}.json", sample=available.sections),
        previews=expand("results/stain/{sample}.png", sample=available.sections),
        expression=expand("results/expression/{sample}.h5ad", sample=available.counts),
    output:
        report="results/available/report.html",
    log:
        "logs/available/render_report.log",
    params:
        sections=available.described,
        labelled=list(available.counts),
        folds=available.trained_folds,
        words=words_of(study),
        genes=config["report"]["genes"],
        always=lambda wildcards: as_shown(config["report"]["always"]),
        settings=lambda wildcards: as_shown(study.result_settings),
        missing=lambda wildcards: as_shown(missing),
        code=code_version("render_report"),


rule list_missing:
    output:
        missing="results/available/missing.tsv",
    log:
        "logs/list_missing.log",
    conda:
        "../envs/split_sections.yaml"
    threads: 1
    resources:
        mem_mb=grown(200),
        runtime=grown(5),
    params:
        rows=lambda wildcards: missing,
        code=code_version("list_missing"),
    script:
        "../workflow_scripts/list_missing.py"
