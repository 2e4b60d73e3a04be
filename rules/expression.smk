# From a section's counts to one AnnData file.


rule read_expression:
    input:
        unpack(counts_files),
        checked="results/checks/{sample}.json",
    output:
        expression="results/expression/{sample}.h5ad",
        genes="results/expression/{sample}.genes.tsv",
    log:
        "logs/read_expression/{sample}.log",
    # Counts are read and checked before slides are worked on, if both cannot be done at once.
    priority: 100
    conda:
        "../envs/read_expression.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of=COUNTS, per_mb=40),
        runtime=grown(15),
    params:
        counts=counts_source,
        ids=config["genes"]["ids"],
        code=section_code_version("read_expression"),
    script:
        "../workflow_scripts/read_expression.py"
