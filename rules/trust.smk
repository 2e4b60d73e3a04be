# How far predictions can be trusted: how new tiles are to the model, and what is known of its genes.


rule fit_novelty:
    input:
        features=training_features,
        colour=training("results/features/{sample}.h5"),
        stains=training("results/stain/{sample}.json"),
        model="results/folds/{fold}/model.pt",
    output:
        novelty="results/folds/{fold}/novelty.h5",
    log:
        "logs/fit_novelty/{fold}.log",
    benchmark:
        "benchmarks/fit_novelty/{fold}.tsv"
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="features", per_mb=10),
        runtime=grown(30, of="features", per_mb=0.02),
    params:
        patients=lambda wildcards: study.patients(study.folds[wildcards.fold].train),
        encoders=encoder_names,
        code=code_version("fit_novelty"),
    script:
        "../workflow_scripts/fit_novelty.py"


rule measure_novelty:
    input:
        features=section_features,
        colour="results/features/{sample}.h5",
        stain="results/stain/{sample}.json",
        novelty="results/folds/{fold}/novelty.h5",
        predictions="results/predictions/{fold}/{sample}.h5ad",
    output:
        spots="results/novelty/{fold}/{sample}.tsv",
        summary="results/novelty/{fold}/{sample}.json",
    log:
        "logs/measure_novelty/{fold}/{sample}.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="features", per_mb=20),
        runtime=grown(15),
    params:
        encoders=encoder_names,
        code=code_version("measure_novelty"),
    script:
        "../workflow_scripts/measure_novelty.py"


rule share_model:
    input:
        model=f"results/folds/{FOLD_ALL}/model.pt",
        usable_genes="results/evaluation/usable_genes.tsv" if study.tested else [],
        per_gene="results/evaluation/per_gene.tsv" if study.tested else [],
        summary="results/evaluation/summary.tsv" if study.tested else [],
    output:
        model="results/model/model.pt",
        card="results/model/model_card.md",
    log:
        "logs/share_model.log",
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="per_gene", per_mb=20),
        runtime=grown(10),
    params:
        headline=config["model"]["headline"],
        encoders=licences_of(study),
        is_itself_tested=tests_the_model_of_all(study.folds),
        code=code_version("share_model"),
    script:
        "../workflow_scripts/share_model.py"
