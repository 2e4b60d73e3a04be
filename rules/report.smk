# The report page, and the figures for papers.


rule render_report:
    input:
        per_gene="results/evaluation/per_gene.tsv" if study.tested else [],
        per_section="results/evaluation/per_section.tsv" if study.tested else [],
        summary="results/evaluation/summary.tsv" if study.tested else [],
        usable_genes="results/evaluation/usable_genes.tsv" if study.tested else [],
        encoders="results/evaluation/encoders.tsv" if comparison else [],
        signatures=if_signatures("results/evaluation/signatures.tsv" if study.tested else []),
        scales="results/evaluation/scales.tsv" if study.tested else [],
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", study.predicted),
        checked=expand("results/folds/{fold}/sections.tsv", fold=study.trained_folds),
        interaction_spots=of_pairs("results/interaction/{fold}/{sample}.tsv", study.tested),
        interaction_summaries=of_pairs("results/interaction/{fold}/{sample}.json", study.tested),
        interaction_genes=of_pairs("results/interaction/{fold}/{sample}.genes.tsv", study.tested),
        novelty=of_trained("results/novelty/{fold}/{sample}.json", study.predicted),
        novelty_spots=of_trained("results/novelty/{fold}/{sample}.tsv", study.predicted),
        histories=expand("results/folds/{fold}/history.tsv", fold=study.trained_folds),
        tiles=expand("results/tiles/{sample}.h5", sample=study.sections),
        overlays=expand("results/tiles/{sample}.png", sample=study.sections),
        stains=expand("results/stain/{sample}.json", sample=study.sections),
        previews=expand("results/stain/{sample}.png", sample=study.sections),
        expression=expand("results/expression/{sample}.h5ad", sample=study.counts),
    output:
        report=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"what": "the whole page"},
        ),
    log:
        "logs/render_report.log",
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000, of="predictions", per_mb=0.3, per_mb_of_largest=20),
        runtime=grown(30, of="predictions", per_mb=0.02),
    params:
        sections=study.described,
        labelled=list(study.counts),
        folds=study.trained_folds,
        words=words_of(study),
        genes=config["report"]["genes"],
        always=lambda wildcards: as_shown(config["report"]["always"]),
        settings=lambda wildcards: as_shown(study.result_settings),
        missing=lambda wildcards: as_shown([]),
        code=code_version("render_report"),
    script:
        "../workflow_scripts/render_report.py"


rule draw_figures:
    input:
        per_gene="results/evaluation/per_gene.tsv",
        usable_genes="results/evaluation/usable_genes.tsv",
        predictions=of_pairs("results/predictions/{fold}/{sample}.h5ad", study.first_tested),
        encoders="results/evaluation/encoders.tsv" if comparison else [],
    output:
        accuracy=[
            "results/figures/accuracy.pdf",
            report(
                "results/figures/accuracy.png",
                caption="../report/accuracy.rst",
                category="Figures",
                labels={"what": "accuracy by section"},
            ),
        ],
        genes=[
            "results/figures/genes.pdf",
            report(
                "results/figures/genes.png",
                caption="../report/genes.rst",
                category="Figures",
                labels={"what": "genes against their noise ceiling"},
            ),
        ],
        maps=[
            "results/figures/maps.pdf",
            report(
                "results/figures/maps.png",
                caption="../report/maps.rst",
                category="Figures",
                labels={"what": "maps of the best genes"},
            ),
        ],
        attention=[
            "results/figures/attention.pdf",
            report(
                "results/figures/attention.png",
                caption="../report/attention.rst",
                category="Figures",
                labels={"what": "what attention adds"},
            ),
        ],
        encoders=(
            [
                "results/figures/encoders.pdf",
                report(
                    "results/figures/encoders.png",
                    caption="../report/encoders.rst",
                    category="Figures",
                    labels={"what": "encoders compared"},
                ),
            ]
            if comparison
            else []
        ),
    log:
        "logs/draw_figures.log",
    conda:
        "../envs/draw_figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000, of="predictions", per_mb=50),
        runtime=grown(30, of="predictions", per_mb=0.1),
    params:
        headline=config["model"]["headline"],
        code=code_version("draw_figures"),
    script:
        "../workflow_scripts/draw_figures.py"
