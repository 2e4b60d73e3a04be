# From a section's counts to one AnnData file.


rule read_expression:
    input:
        unpack(lambda wildcards: study.counts[wildcards.sample][1]),
    output:
        expression="results/expression/{sample}.h5ad",
    log:
        "logs/read_expression/{sample}.log",
    conda:
        "../envs/read_expression.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=15,
    params:
        format=lambda wildcards: study.counts[wildcards.sample][0],
        code=code_version("read_expression"),
    script:
        "../workflow_scripts/read_expression.py"
