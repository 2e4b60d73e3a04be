# The baselines that the model has to beat, and by how much it does.


rule fit_baselines:
    input:
        features=training_features,
        colour=training("results/features/{sample}.h5"),
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
        encoders=encoder_names,
        hest_layers=lambda wildcards: hest_layers_of(study, wildcards.get("encoder")),
        inputs=lambda wildcards: model_settings(wildcards).baseline_inputs,
        code=code_version("fit_baselines"),
    script:
        "../workflow_scripts/fit_baselines.py"


rule predict_baselines:
    input:
        features=section_features,
        colour="results/features/{sample}.h5",
        baselines=baselines,
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
        encoders=encoder_names,
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
        scales=report(
            "results/evaluation/scales.tsv",
            caption="../report/scales.rst",
            category="Tables",
            labels={"what": "genes at coarser scales"},
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


use rule fit_baselines as fit_baselines_of_encoder with:
    output:
        baselines="results/encoders/{encoder}/folds/{fold}/baselines.h5",
    log:
        "logs/fit_baselines/{encoder}/{fold}.log",
    benchmark:
        "benchmarks/fit_baselines/{encoder}/{fold}.tsv"
    wildcard_constraints:
        encoder=own_model,


use rule predict_baselines as predict_baselines_of_encoder with:
    output:
        h5ad="results/encoders/{encoder}/baselines/{fold}/{sample}.h5ad",
    log:
        "logs/predict_baselines/{encoder}/{fold}/{sample}.log",
    wildcard_constraints:
        encoder=own_model,


rule compare_encoders:
    input:
        predictions=of_comparison("predictions", study.tested),
        baselines=of_comparison("baselines", study.tested),
        ceilings=of_pairs("results/ceiling/{sample}.tsv", study.tested),
        features=features_of_comparison(),
        folds=expand("results/folds/{fold}/sections.tsv", fold=study.tested_folds),
    output:
        encoders=report(
            "results/evaluation/encoders.tsv",
            caption="../report/encoders.rst",
            category="Tables",
            labels={"what": "encoders compared"},
        ),
    log:
        "logs/compare_encoders.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="predictions", per_mb_of_largest=30),
        runtime=grown(30, of="predictions", per_mb=0.1),
    params:
        encoders=comparison,
        # Read if they are there: a job that has lost its benchmark is not run again.
        benchmarks=benchmarks_of_comparison(),
        headline=config["model"]["headline"],
        unit=study.unit,
        code=code_version("compare_encoders"),
    script:
        "../workflow_scripts/compare_encoders.py"
