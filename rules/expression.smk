# From a section's counts to one AnnData file.


rule read_expression:
    input:
        unpack(lambda wildcards: study.counts[wildcards.sample][1]),
    output:
        expression="results/expression/{sample}.h5ad",
    log:
        "logs/read_expression/{sample}.log",
    # Counts are read and checked before slides are worked on, wherever nothing else can be done meanwhile.
    priority: 100
    conda:
        "../envs/read_expression.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, per_mb=40),
        runtime=grown(15),
    params:
        format=lambda wildcards: study.counts[wildcards.sample][0],
        code=code_version("read_expression"),
    script:
        "../workflow_scripts/read_expression.py"


rule check_counts:
    input:
        expression="results/expression/{sample}.h5ad",
        reference=counts_reference,
        genes=study.gene_list or [],
    output:
        checked="results/expression/{sample}.json",
    log:
        "logs/check_counts/{sample}.log",
    priority: 100
    conda:
        "../envs/read_expression.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(5),
    params:
        reference=study.counts_reference,
        learns=lambda wildcards: study.is_learnt_from(wildcards.sample),
        code=code_version("check_counts"),
    script:
        "../workflow_scripts/check_counts.py"
