# Checks of every section, and of all together, before time is spent on them.


localrules:
    check_genes,


rule check_section:
    input:
        unpack(counts_files),
        slide=sheet_slide,
    output:
        checked="results/checks/{sample}.json",
        genes="results/checks/{sample}.genes.txt",
    log:
        "logs/check_section/{sample}.log",
    # All sections are checked before any is worked on.
    priority: 200
    conda:
        "../envs/check_section.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of=COUNTS, per_mb=40),
        runtime=grown(15),
    params:
        counts=counts_source,
        ids=only_with_counts(config["genes"]["ids"]),
        mpp=lambda wildcards: study.sections[wildcards.sample].mpp,
        min_on_tissue=only_with_counts(config["tiling"]["min_on_tissue"]),
        identity=lambda wildcards: check_identity(study, wildcards.sample),
        code=section_code_version("check_section"),
    script:
        "../workflow_scripts/check_section.py"


rule check_encoder:
    input:
        weights=encoder_weights,
        definition=encoder_definition,
    output:
        checked="results/encoders/{encoder}.json",
    log:
        "logs/check_encoder/{encoder}.log",
    wildcard_constraints:
        encoder="|".join(study.encoders),
    # Features do not wait for it, so that to check again makes no features anew; it runs first so that a
    # problem shows before hours of them.
    priority: 200
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="weights", per_mb=2.5),
        runtime=grown(30),
    params:
        encoder=lambda wildcards: encoder_of(wildcards).description.name,
        mean=lambda wildcards: encoder_of(wildcards).settings["mean"],
        sd=lambda wildcards: encoder_of(wildcards).settings["sd"],
        tile_px=config["tiling"]["tile_px"],
        tile_um=config["tiling"]["tile_um"],
        seed=config["seed"],
        code=code_version("check_encoder"),
    script:
        "../workflow_scripts/check_encoder.py"


rule check_genes:
    input:
        genes="results/checks/{sample}.genes.txt",
        reference=genes_reference,
        listed=gene_list,
    output:
        checked="results/checks/{sample}.genes.json",
    log:
        "logs/check_genes/{sample}.log",
    priority: 100
    conda:
        "../envs/check_genes.yaml"
    threads: 1
    resources:
        mem_mb=grown(500),
        runtime=grown(5),
    params:
        counts=lambda wildcards: str(study.sections[wildcards.sample].expression),
        reference=study.counts_reference,
        learns=lambda wildcards: study.is_training_section(wildcards.sample),
        code=code_version("check_genes"),
    script:
        "../workflow_scripts/check_genes.py"
