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
        encoder=study.encoder.name,
        weights="|".join(study.encoder.published) or "no_published_weights",
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(30),
    params:
        code=code_version("fetch_weights"),
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
        runtime=grown_with_tiles(20, network_minutes(study.encoder.parameters)),
        gpu=one_gpu,
    params:
        encoder=study.encoder.name,
        mean=config["features"]["mean"],
        sd=config["features"]["sd"],
        precision=config["features"]["precision"],
        batch_size=config["features"]["batch_size"],
        # An encoder of the user's own may draw at random beside the weights that it reads.
        seed=config["seed"] if study.encoder.definition or not study.weights else None,
        code=code_version("extract_features"),
    script:
        "../workflow_scripts/extract_features.py"


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
        encoder=study.encoder.name,
        mean=config["features"]["mean"],
        sd=config["features"]["sd"],
        needed=layers_needed,
        # As for extract_features.
        seed=config["seed"] if study.encoder.definition or not study.weights else None,
        code=code_version("import_features"),
    script:
        "../workflow_scripts/import_features.py"
