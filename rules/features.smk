# The feature cache.


localrules:
    fetch_weights,


rule fetch_weights:
    output:
        weights="resources/weights/{encoder}_{weights}.pth",
        record="resources/weights/{encoder}_{weights}.json",
    log:
        "logs/fetch_weights/{encoder}_{weights}.log",
    wildcard_constraints:
        encoder="|".join(downloadable) or "no_encoder",
        weights="|".join(name for encoder in downloadable.values() for name in encoder.description.published)
        or "none",
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(30),
    params:
        code=encoder_code_version("fetch_weights"),
    script:
        "../workflow_scripts/fetch_weights.py"


rule extract_features:
    input:
        slide=slide,
        tiles="results/tiles/{sample}.h5",
        counted="results/tiles/{sample}.json",
        stain="results/stain/{sample}.json",
        weights=encoder_weights,
        definition=encoder_definition,
        bundle=bundle_first,
    output:
        features="results/features/{sample}.h5",
    log:
        "logs/extract_features/{sample}.log",
    benchmark:
        "benchmarks/extract_features/{sample}.tsv"
    wildcard_constraints:
        sample="|".join(features_here) or "no_section",
    conda:
        "../envs/features.yaml"
    # For the network on a CPU; with a GPU, one for the network and the others to read tiles.
    threads: 16
    resources:
        mem_mb=grown_with_tiles(6000, 20, of="weights", per_mb=2),
        runtime=features_minutes,
        gpu=one_gpu,
    params:
        encoder=lambda wildcards: encoder_of(wildcards).description.name,
        mean=lambda wildcards: encoder_of(wildcards).settings["mean"],
        sd=lambda wildcards: encoder_of(wildcards).settings["sd"],
        colour=lambda wildcards: encoder_of(wildcards).is_first,
        precision=config["features"]["precision"],
        batch_size=config["features"]["batch_size"],
        seed=encoder_seed,
        code=encoder_code_version("extract_features"),
    script:
        "../workflow_scripts/extract_features.py"


# Features of a further encoder, for which no others are made again.
use rule extract_features as extract_further_features with:
    output:
        features="results/features/{encoder}/{sample}.h5",
    log:
        "logs/extract_features/{encoder}/{sample}.log",
    benchmark:
        "benchmarks/extract_features/{encoder}/{sample}.tsv"
    wildcard_constraints:
        encoder="|".join(list(study.encoders)[1:]) or "no_further_encoder",


rule import_features:
    input:
        given=given_features,
        patches=given_patches,
        slide=slide,
        tiles="results/tiles/{sample}.h5",
        counted="results/tiles/{sample}.json",
        stain="results/stain/{sample}.json",
        weights=encoder_weights,
        definition=encoder_definition,
        bundle=bundle_first,
    output:
        features="results/features/{sample}.h5",
    log:
        "logs/import_features/{sample}.log",
    benchmark:
        "benchmarks/import_features/{sample}.tsv"
    wildcard_constraints:
        sample="|".join(features_elsewhere) or "no_section",
    # Features that are refused shall be so before hours of training.
    priority: 100
    conda:
        "../envs/features.yaml"
    # For the network, which encodes a few tiles again on a CPU.
    threads: 4
    resources:
        mem_mb=grown_with_tiles(3000, 20, of="weights", per_mb=2.5),
        runtime=grown_with_tiles(20, 1),
    params:
        encoder=study.first_encoder.description.name,
        mean=study.first_encoder.settings["mean"],
        sd=study.first_encoder.settings["sd"],
        needed=first_layers_read(study),
        seed=encoder_seed,
        code=encoder_code_version("import_features"),
    script:
        "../workflow_scripts/import_features.py"
