# From slides to tiles and stains. No tile image is ever written.


rule prepare_slide:
    input:
        slide=sheet_slide,
        checked="results/checks/{sample}.json",
    output:
        slide="results/slides/{sample}.tiff",
    log:
        "logs/prepare_slide/{sample}.log",
    benchmark:
        "benchmarks/prepare_slide/{sample}.tsv"
    conda:
        "../envs/prepare_slide.yaml"
    threads: 2
    resources:
        mem_mb=grown(2000, of="slide", per_mb=5),
        runtime=grown(15, of="slide", per_mb=0.1),
    params:
        jpeg_quality=config["slide"]["jpeg_quality"],
        code=code_version("prepare_slide"),
    script:
        "../workflow_scripts/prepare_slide.py"


rule tile_slide:
    input:
        slide=slide,
        checked="results/checks/{sample}.json",
        expression=counts_if_labelled,
        given=given_features,
        patches=given_patches,
    output:
        tiles="results/tiles/{sample}.h5",
        counted="results/tiles/{sample}.json",
        overlay=report(
            "results/tiles/{sample}.png",
            caption="../report/overlay.rst",
            category="Sections",
            labels={"section": "{sample}", "what": "tiles"},
        ),
    log:
        "logs/tile_slide/{sample}.log",
    benchmark:
        "benchmarks/tile_slide/{sample}.tsv"
    conda:
        "../envs/tile_slide.yaml"
    threads: 1
    resources:
        mem_mb=grown(1500),
        runtime=grown(30),
    params:
        named=lambda wildcards: as_shown(study.sections[wildcards.sample].named),
        tile_um=config["tiling"]["tile_um"],
        tile_px=config["tiling"]["tile_px"],
        grid_um=only_on_grid(config["tiling"]["grid_um"]),
        min_tissue=only_on_grid(config["tiling"]["min_tissue"]),
        lowres_px=config["tiling"]["lowres_px"],
        code=code_version("tile_slide"),
    script:
        "../workflow_scripts/tile_slide.py"


rule fit_stain_reference:
    input:
        image=lambda wildcards: user_files(study.stain_image),
    output:
        stain=IMAGE_REFERENCE,
    log:
        "logs/fit_stain_reference.log",
    conda:
        "../envs/fit_stain.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(15),
    params:
        method=config["stain"]["method"],
        max_pixels=config["stain"]["max_pixels"],
        seed=config["seed"],
        code=code_version("fit_stain_reference"),
    script:
        "../workflow_scripts/fit_stain_reference.py"


rule fit_stain:
    input:
        slide=slide,
        tiles="results/tiles/{sample}.h5",
        reference=stain_reference,
    output:
        stain="results/stain/{sample}.json",
        preview=report(
            "results/stain/{sample}.png",
            caption="../report/preview.rst",
            category="Sections",
            labels={"section": "{sample}", "what": "stains"},
        ),
    log:
        "logs/fit_stain/{sample}.log",
    benchmark:
        "benchmarks/fit_stain/{sample}.tsv"
    conda:
        "../envs/fit_stain.yaml"
    threads: 1
    resources:
        mem_mb=grown(1500),
        runtime=grown(15),
    params:
        method=config["stain"]["method"],
        is_reference=lambda wildcards: study.is_stain_reference(wildcards.sample),
        max_pixels=config["stain"]["max_pixels"],
        seed=config["seed"],
        code=code_version("fit_stain"),
    script:
        "../workflow_scripts/fit_stain.py"
