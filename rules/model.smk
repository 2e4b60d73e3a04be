# Folds, gene panels, models and their predictions.


localrules:
    split_sections,


rule split_sections:
    output:
        folds="results/folds/folds.tsv",
    log:
        "logs/split_sections.log",
    conda:
        "../envs/split_sections.yaml"
    threads: 1
    resources:
        mem_mb=grown(200),
        runtime=grown(5),
    params:
        rows=study.fold_rows,
        code=code_version("split_sections"),
    script:
        "../workflow_scripts/split_sections.py"


rule check_leakage:
    input:
        tiles=labelled("results/tiles/{sample}.h5"),
        expression=labelled("results/expression/{sample}.h5ad"),
        checked=labelled("results/checks/{sample}.genes.json"),
    output:
        sections="results/folds/{fold}/sections.tsv",
    log:
        "logs/check_leakage/{fold}.log",
    # It needs only tiles and counts, and runs first so that a problem shows before hours of features.
    # Scores wait for it. Training does not: a changed test section needs a new check, but no new training.
    priority: 100
    conda:
        "../envs/check_leakage.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        sections=lambda wildcards: study.folds[wildcards.fold].labelled,
        patients=lambda wildcards: study.patients(study.folds[wildcards.fold].labelled),
        sides=lambda wildcards: study.sides(wildcards.fold),
        within_patient=study.allows_within_patient,
        code=code_version("check_leakage"),
    script:
        "../workflow_scripts/check_leakage.py"


rule select_genes:
    input:
        expression=training("results/expression/{sample}.h5ad"),
        genes=gene_list,
    output:
        genes="results/folds/{fold}/genes.tsv",
    log:
        "logs/select_genes/{fold}.log",
    conda:
        "../envs/select_genes.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000, of="expression", per_mb=30),
        runtime=grown(60, of="expression", per_mb=0.05),
    params:
        method=config["genes"]["method"],
        number=config["genes"]["number"],
        unit=study.unit,
        code=code_version("select_genes"),
    script:
        "../workflow_scripts/select_genes.py"


rule train_model:
    input:
        features=training_features,
        expression=training("results/expression/{sample}.h5ad"),
        genes="results/folds/{fold}/genes.tsv",
    output:
        model="results/folds/{fold}/model.pt",
        history="results/folds/{fold}/history.tsv",
    log:
        "logs/train_model/{fold}.log",
    benchmark:
        "benchmarks/train_model/{fold}.tsv"
    conda:
        "../envs/model.yaml"
    threads: 4
    resources:
        mem_mb=grown(4000, of="features", per_mb=20),
        runtime=grown(60, of="features", per_mb=0.03, per_mb_of_largest=10),
        gpu=one_gpu,
    params:
        patients=lambda wildcards: study.patients(study.folds[wildcards.fold].train),
        unit=study.unit,
        encoders=encoder_names,
        candidates=lambda wildcards: model_settings(wildcards).candidates,
        training=study.model_settings.training,
        mixture=study.model_settings.mixture,
        seed=config["seed"],
        code=code_version("train_model"),
    script:
        "../workflow_scripts/train_model.py"


rule check_bundle:
    input:
        model=lambda wildcards: user_files(study.model(FOLD_BUNDLE)),
        weights=all_weights,
        definitions=all_definitions,
    output:
        checked="results/bundle.json",
        stain=BUNDLE_REFERENCE,
    log:
        "logs/check_bundle.log",
    # Only predictions need its output; it runs first so that a problem shows before hours of features.
    priority: 100
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(10),
    params:
        encoders=[encoder.record for encoder in study.encoders.values()],
        tile_um=config["tiling"]["tile_um"],
        tile_px=config["tiling"]["tile_px"],
        stain=config["stain"]["method"],
        unit=study.unit,
        seed=config["seed"],
        config_file=study.config_file,
        code=code_version("check_bundle"),
    script:
        "../workflow_scripts/check_bundle.py"


rule predict_expression:
    input:
        features=section_features,
        tiles="results/tiles/{sample}.h5",
        model=model,
        checked=checked_bundle,
        expression=counts_if_tested,
    output:
        h5ad="results/predictions/{fold}/{sample}.h5ad",
        parquet="results/predictions/{fold}/{sample}.parquet",
    log:
        "logs/predict_expression/{fold}/{sample}.log",
    conda:
        "../envs/model.yaml"
    threads: 2
    resources:
        mem_mb=grown(2000, of="features", per_mb=30),
        runtime=grown(30),
    params:
        encoders=encoder_names,
        headline=config["model"]["headline"],
        protocol=lambda wildcards: study.protocol(wildcards.fold, wildcards.sample),
        patient=lambda wildcards: study.sections[wildcards.sample].patient,
        carries=lambda wildcards: wildcards.fold == FOLD_BUNDLE,
        code=code_version("predict_expression"),
    script:
        "../workflow_scripts/predict_expression.py"


# Models of single encoders, for their comparison.
use rule train_model as train_model_of_encoder with:
    output:
        model="results/encoders/{encoder}/folds/{fold}/model.pt",
        history="results/encoders/{encoder}/folds/{fold}/history.tsv",
    log:
        "logs/train_model/{encoder}/{fold}.log",
    benchmark:
        "benchmarks/train_model/{encoder}/{fold}.tsv"
    wildcard_constraints:
        encoder=own_model,


use rule predict_expression as predict_expression_of_encoder with:
    output:
        h5ad="results/encoders/{encoder}/predictions/{fold}/{sample}.h5ad",
        parquet="results/encoders/{encoder}/predictions/{fold}/{sample}.parquet",
    log:
        "logs/predict_expression/{encoder}/{fold}/{sample}.log",
    wildcard_constraints:
        encoder=own_model,
