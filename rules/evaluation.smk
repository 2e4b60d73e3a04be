# What the model has to beat, and by how much it does.


rule fit_baselines:
    input:
        training_features=training("results/features/{sample}.h5"),
        training_expression=training("results/expression/{sample}.h5ad"),
        genes="results/folds/{fold}/genes.tsv",
        features="results/features/{sample}.h5",
    output:
        baselines="results/baselines/{fold}/{sample}.h5ad",
    log:
        "logs/fit_baselines/{fold}/{sample}.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 2
    resources:
        mem_mb=grown(4000),
        runtime=60,
    params:
        patients=lambda wildcards: study.patients(study.folds[wildcards.fold].train),
        layers=config["model"]["layers"],
        code=code_version("fit_baselines"),
    script:
        "../workflow_scripts/fit_baselines.py"


rule evaluate_predictions:
    input:
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", study.tested),
        baselines=of_pairs("results/baselines/{fold}/{sample}.h5ad", study.tested),
    output:
        per_gene="results/evaluation/per_gene.tsv",
        per_section="results/evaluation/per_section.tsv",
        summary="results/evaluation/summary.tsv",
    log:
        "logs/evaluate_predictions.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=30,
    params:
        protocols=[study.protocol(fold, sample) for fold, sample in study.tested],
        tested=study.tested,
        patients=study.patients(tuple(sample for _, sample in study.tested)),
        code=code_version("evaluate_predictions"),
    script:
        "../workflow_scripts/evaluate_predictions.py"
