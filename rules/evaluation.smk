# The baselines that the model has to beat, and by how much it does.


rule fit_baselines:
    input:
        features=training("results/features/{sample}.h5"),
        expression=training("results/expression/{sample}.h5ad"),
        genes="results/folds/{fold}/genes.tsv",
    output:
        baselines="results/folds/{fold}/baselines.h5",
    log:
        "logs/fit_baselines/{fold}.log",
    benchmark:
        "benchmarks/fit_baselines/{fold}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="features", per_mb=20),
        runtime=grown(30, of="features", per_mb=0.05),
    params:
        patients=lambda wildcards: study.patients(study.folds[wildcards.fold].train),
        unit=study.unit,
        hest_layers=study.encoder.hest_layers,
        inputs=study.model_settings.baseline_inputs,
        code=code_version("fit_baselines"),
    script:
        "../workflow_scripts/fit_baselines.py"


rule predict_baselines:
    input:
        features="results/features/{sample}.h5",
        baselines="results/folds/{fold}/baselines.h5",
    output:
        h5ad="results/baselines/{fold}/{sample}.h5ad",
    log:
        "logs/predict_baselines/{fold}/{sample}.log",
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="features", per_mb=30),
        runtime=grown(30),
    params:
        code=code_version("predict_baselines"),
    script:
        "../workflow_scripts/predict_baselines.py"


rule estimate_ceiling:
    input:
        expression="results/expression/{sample}.h5ad",
    output:
        ceiling="results/ceiling/{sample}.tsv",
    log:
        "logs/estimate_ceiling/{sample}.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        seed=config["seed"],
        unit=study.unit,
        code=code_version("estimate_ceiling"),
    script:
        "../workflow_scripts/estimate_ceiling.py"


rule cluster_spots:
    input:
        predictions="results/predictions/{fold}/{sample}.h5ad",
    output:
        spots="results/interaction/{fold}/{sample}.tsv",
        genes="results/interaction/{fold}/{sample}.genes.tsv",
        summary="results/interaction/{fold}/{sample}.json",
    log:
        "logs/cluster_spots/{fold}/{sample}.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2500, of="predictions", per_mb=10),
        runtime=grown(30, of="predictions", per_mb=0.1),
    params:
        clusters=config["report"]["clusters"],
        seed=config["seed"],
        code=code_version("cluster_spots"),
    script:
        "../workflow_scripts/cluster_spots.py"


rule evaluate_predictions:
    input:
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", study.tested),
        baselines=of_pairs("results/baselines/{fold}/{sample}.h5ad", study.tested),
        ceilings=of_pairs("results/ceiling/{sample}.tsv", study.tested),
        folds=expand("results/folds/{fold}/sections.tsv", fold=study.tested_folds),
    output:
        per_gene="results/evaluation/per_gene.tsv",
        per_section=report(
            "results/evaluation/per_section.tsv",
            caption="../report/per_section.rst",
            category="Tables",
            labels={"what": "scores by section"},
        ),
        summary=report(
            "results/evaluation/summary.tsv",
            caption="../report/summary.rst",
            category="Tables",
            labels={"what": "scores by patient"},
        ),
        usable_genes=report(
            "results/evaluation/usable_genes.tsv",
            caption="../report/usable_genes.rst",
            category="Tables",
            labels={"what": "usable genes"},
        ),
    log:
        "logs/evaluate_predictions.log",
    benchmark:
        "benchmarks/evaluate_predictions.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 2
    resources:
        mem_mb=grown(2000, of="predictions", per_mb=0.2, per_mb_of_largest=30),
        runtime=grown(30, of="predictions", per_mb=0.1),
    params:
        folds=study.tested_folds,
        headline=config["model"]["headline"],
        panel_size=config["evaluation"]["panel_size"],
        min_ceiling=config["evaluation"]["min_ceiling"],
        unit=study.unit,
        code=code_version("evaluate_predictions"),
    script:
        "../workflow_scripts/evaluate_predictions.py"
