# What is known of a model's reliability, and how it travels with the model.


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
        code=code_version("share_model"),
    script:
        "../workflow_scripts/share_model.py"
