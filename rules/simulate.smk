# Simulated sections for demonstrations; only those that the config names under simulate.


rule simulate_section:
    output:
        slide="data/{sample}/slide.tiff",
        matrix="data/{sample}/outs/filtered_feature_bc_matrix.h5",
        positions="data/{sample}/outs/spatial/tissue_positions.csv",
        scalefactors="data/{sample}/outs/spatial/scalefactors_json.json",
        hires="data/{sample}/outs/spatial/tissue_hires_image.png",
        lowres="data/{sample}/outs/spatial/tissue_lowres_image.png",
        truth="data/{sample}/truth.tsv",
    log:
        "logs/simulate_section/{sample}.log",
    wildcard_constraints:
        sample=simulated_sections,
    conda:
        "../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(15),
    params:
        section=lambda wildcards: config["simulate"]["sections"][wildcards.sample],
        code=code_version("simulate_section"),
    script:
        "../workflow_scripts/simulate_section.py"
