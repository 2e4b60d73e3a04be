"""render_report: put what the study found on one self-contained page.

Input
    per_gene, per_section, summary, usable_genes, interaction_spots, interaction_genes and
    interaction_summaries (empty where nothing is scored); predictions; histories and checked (sections) of
    the trained folds; tiles, overlays, stains and previews of all sections; expression of the labelled
Output
    report: one HTML file without anything outside it
Params
    sections (patient and role by sample), labelled, folds (trained), genes (how many are mapped, and which
    always), settings
"""

import os
from pathlib import Path

from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.base.tables import read_table
from ressat.encoders.untrained import WATERMARK, is_untrained
from ressat.report import charts as report_charts
from ressat.report import genes as report_genes
from ressat.report import interaction as report_interaction
from ressat.report import maps as report_maps
from ressat.report import page as report
from ressat.report.answer import Scores, answers
from ressat.report.methods import methods
from ressat.workflow.job_environment import COMMAND

inputs, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "render_report") as log:
    headline = params.settings["model"]["headline"]
    scores = None
    if inputs.per_gene:
        scores = Scores.read(inputs.per_gene, inputs.per_section, inputs.summary, inputs.usable_genes)
    table = scores.usable_genes if scores else None
    ranking = report_maps.ranked_genes(table, inputs.predictions)
    mapped = report_maps.mapped_genes(ranking, params.genes, params.always)
    predictions = [report_maps.Prediction.read(path, mapped) for path in inputs.predictions]
    drawn = [report_maps.drawn_section(prediction) for prediction in predictions]
    encoders = [prediction.made["encoder"] for prediction in predictions]
    untrained = is_untrained(encoders, params.settings["features"]["weights"])
    by_section = report_maps.section_scores(scores.per_gene if scores else None, headline, drawn)
    moved = report_interaction.moved(inputs.interaction_genes)
    genes, maps = report_genes.gene_records(ranking, table, moved, by_section, set(mapped), predictions)

    counts = dict(zip(params.labelled, inputs.expression, strict=True))
    sections = [
        report.read_quality(sample, about, *pictured, counts.get(sample))
        for (sample, about), *pictured in zip(
            params.sections.items(),
            inputs.tiles,
            inputs.overlays,
            inputs.stains,
            inputs.previews,
            strict=True,
        )
    ]
    folds = [
        report.training(fold, read_table(history))
        for fold, history in zip(params.folds, inputs.histories, strict=True)
    ]
    charts = report_charts.of_folds(folds)
    if scores:
        charts |= report_charts.of_scores(scores, read_table(inputs.per_section), headline)
    models = report.models(predictions)
    paragraphs, references = methods(params.settings, models, sections, untrained, scores is not None)
    page = report.render(
        charts,
        {"genes": genes, "sections": drawn, "watermark": WATERMARK if untrained else None},
        maps,
        study=Path.cwd().name,
        untrained=untrained,
        headline=headline,
        scored=scores is not None,
        answers=answers(scores, headline) if scores else [],
        gene_columns=report_genes.COLUMNS,
        gene_rows=report_genes.gene_rows(table) if scores else [],
        genes=genes,
        download=report_genes.download(table) if scores else None,
        drawn=drawn,
        interactions=report_interaction.read(inputs.interaction_spots, inputs.interaction_summaries, drawn),
        sections=sections,
        folds=folds,
        models=models,
        counts=report.counts_fingerprints([read_table(path) for path in inputs.checked]),
        methods=paragraphs,
        references=references,
        command=os.environ.get(COMMAND),
        settings=report.shown_settings(params.settings),
    )
    write_text(snakemake.output.report, page)
    log.info("%d sections, %d genes mapped, %.1f MB", len(sections), len(maps), len(page) / 1e6)
