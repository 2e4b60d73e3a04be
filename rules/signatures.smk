# Scores of gene sets, if the setting `signatures` names a file of them.


rule check_signatures:
    input:
        gene_sets=gene_sets,
        genes=expand("results/checks/{sample}.genes.txt", sample=study.counts),
    output:
        checked="results/signatures/known.json",
    log:
        "logs/check_signatures.log",
    # Before hours of features.
    priority: 200
    conda:
        "../envs/check_genes.yaml"
    threads: 1
    resources:
        mem_mb=grown(500),
        runtime=grown(5),
    params:
        code=code_version("check_signatures"),
    script:
        "../workflow_scripts/check_signatures.py"


rule score_signatures:
    input:
        gene_sets=gene_sets,
        predictions="results/predictions/{fold}/{sample}.h5ad",
        baselines=if_tested("results/baselines/{fold}/{sample}.h5ad"),
        expression=if_tested("results/expression/{sample}.h5ad"),
    output:
        h5ad="results/signatures/{fold}/{sample}.h5ad",
        table="results/signatures/{fold}/{sample}.tsv",
    log:
        "logs/score_signatures/{fold}/{sample}.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(2500, of="predictions expression", per_mb=40),
        runtime=grown(30, of="predictions", per_mb=0.1),
    params:
        seed=config["seed"],
        unit=study.unit,
        code=code_version("score_signatures"),
    script:
        "../workflow_scripts/score_signatures.py"


rule evaluate_signatures:
    input:
        tables=of_pairs("results/signatures/{fold}/{sample}.tsv", study.tested),
    output:
        signatures="results/evaluation/signatures.tsv",
    log:
        "logs/evaluate_signatures.log",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=grown(500),
        runtime=grown(5),
    params:
        code=code_version("evaluate_signatures"),
    script:
        "../workflow_scripts/evaluate_signatures.py"
