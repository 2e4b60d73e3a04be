"""render_report: put what the study found on one self-contained page.

Input
    per_gene, per_section, summary (empty where nothing is scored); predictions; histories of the
    trained folds; tiles, overlays, stains and previews of all sections; expression of the labelled
Output
    report: one HTML file without anything outside it
Params
    sections (patient and role by sample), labelled, folds (trained), genes (how
    many are mapped), settings
"""

from pathlib import Path

from ressat import report, report_maps
from ressat.files import write_text
from ressat.joblog import job_log
from ressat.report_answer import Scores, answers
from ressat.untrained import WATERMARK, is_untrained

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "render_report") as log:
    headline = params.settings["model"]["headline"]
    scores = None
    if files.per_gene:
        scores = Scores.read(files.per_gene, files.per_section, files.summary, files.usable_genes)
    per_gene = scores.per_gene if scores else None
    genes = report_maps.chosen_genes(per_gene, headline, files.predictions, params.genes)
    predictions = [report_maps.Prediction.read(path, genes) for path in files.predictions]
    encoders = [prediction.made["encoder"] for prediction in predictions]
    untrained = is_untrained(encoders, params.settings["features"]["weights"])
    watermark = WATERMARK if untrained else None

    counts = dict(zip(params.labelled, files.expression, strict=True))
    sections = [
        report.read_quality(sample, about, *pictured, counts.get(sample))
        for (sample, about), *pictured in zip(
            params.sections.items(), files.tiles, files.overlays, files.stains, files.previews, strict=True
        )
    ]
    page = report.render(
        study=Path.cwd().name,
        untrained=untrained,
        headline=headline,
        scored=scores is not None,
        answers=answers(scores, headline) if scores else [],
        histograms=report.histograms(scores, headline, watermark) if scores else [],
        genes=report_maps.gene_maps(genes, per_gene, predictions, watermark),
        sections=sections,
        folds=[
            report.training(fold, history, watermark)
            for fold, history in zip(params.folds, files.histories, strict=True)
        ],
        models=report.models(predictions),
        settings=report.shown_settings(params.settings),
    )
    write_text(snakemake.output.report, page)
    log.info("%d sections, %d genes mapped, %.1f MB", len(sections), len(genes), len(page) / 1e6)
