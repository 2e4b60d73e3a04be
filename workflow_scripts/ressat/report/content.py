"""What the report shows, gathered from the results' files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ressat.base.tables import read_table
from ressat.checks.text_columns import FOLD_SECTIONS
from ressat.counts.expression_unit import ExpressionUnit
from ressat.encoders.untrained import WATERMARK, is_untrained
from ressat.evaluation.text_columns import ENCODERS, HISTORY, PER_SECTION
from ressat.report import charts, encoders, genes, interaction, maps, novelty, provenance
from ressat.report.answer import Scores, answers
from ressat.report.methods import methods
from ressat.report.page import render
from ressat.report.quality import read_quality
from ressat.report.scales import Scales
from ressat.report.signatures import signatures


@dataclass(frozen=True)
class Report:
    """The page, and what it holds.

    Attributes
    ----------
    page
        HTML.
    sections, genes_mapped
        How many there are.
    """

    page: str
    sections: int
    genes_mapped: int


def make_report(
    files: Any,
    params: Any,
    *,
    always: Sequence[str],
    settings: Mapping,
    missing: Sequence[Mapping],
    study: str,
    command: str | None,
) -> Report:
    """Gather what the study found, and put it on a page.

    Parameters
    ----------
    files
        Inputs of the rule ``render_report``, by name.
    params
        Its params: ``sections``, ``labelled``, ``folds``, ``words``, ``genes``.
    always
        Genes that are mapped whatever their scores.
    settings
        The study's settings.
    missing
        What failed: rows of results/available/missing.tsv; none for the whole study.
    study
        The study's name.
    command
        The command that made the results, in a form that is safe to share.
    """
    headline, unit = settings["model"]["headline"], ExpressionUnit.of(settings["expression"])
    scores = scales = None
    if files.per_gene:
        scores = Scores.read(files.per_gene, files.per_section, files.summary, files.usable_genes)
        scales = Scales.read(files.scales)
    table = scores.usable_genes if scores else None
    ranking = maps.ranked_genes(table, files.predictions)
    map_genes = maps.genes_with_maps(ranking, params.genes, always)
    predictions = [maps.Prediction.read(path, map_genes) for path in files.predictions]
    section_maps = [maps.section_map(prediction) for prediction in predictions]
    networks = params.words["encoders"].values()
    untrained = is_untrained(prediction.record["encoder"] for prediction in predictions)
    untrained = untrained or any(one["is_random"] for one in networks)
    by_section = maps.section_scores(scores.per_gene if scores else None, headline, section_maps)
    movement = interaction.mean_movement(files.interaction_genes)
    records, packs = genes.gene_records(
        ranking, table, movement, by_section, set(map_genes), predictions, unit.words, scales
    )
    sections = _sections(files, params)
    folds = [
        provenance.training(fold, read_table(history, HISTORY))
        for fold, history in zip(params.folds, files.histories, strict=True)
    ]
    figures = charts.of_folds(folds)
    if scores:
        figures |= charts.of_scores(scores, read_table(files.per_section, PER_SECTION), headline)
    comparisons = encoders.comparisons(read_table(files.encoders, ENCODERS)) if files.encoders else []
    models = provenance.models(predictions)
    scored = scores is not None
    of_protocols = answers(scores, headline) if scores else []
    paragraphs, references = methods(settings, params.words, models, sections, scored=scored)
    page = render(
        figures,
        {
            "genes": records,
            "sections": section_maps,
            "watermark": WATERMARK if untrained else None,
            "unit": unit.words,
        },
        packs,
        study=study,
        unit=unit.words,
        encoder=" and ".join(one["title"] for one in networks),
        missing=provenance.missing_sections(missing),
        untrained=untrained,
        headline=headline,
        scored=scored,
        answers=of_protocols,
        encoders=comparisons,
        compared=params.words["compared"],
        far={
            (row["fold"], row["section"]) for answer in of_protocols for row in answer["levels"] if row["far"]
        },
        signatures=signatures(files.signatures),
        scales=scales.usable(table) if scales else {},
        gene_columns=genes.COLUMNS,
        gene_rows=genes.gene_rows(table) if scores else [],
        genes=records,
        download=genes.download(table) if scores else None,
        drawn=section_maps,
        interactions=interaction.read(files.interaction_spots, files.interaction_summaries, section_maps),
        novelty=novelty.read(files.novelty, files.novelty_spots, section_maps),
        sections=sections,
        folds=folds,
        models=models,
        counts=provenance.fingerprints([read_table(path, FOLD_SECTIONS) for path in files.checked]),
        methods=paragraphs,
        references=references,
        command=command,
        settings=provenance.settings_table(settings),
    )
    return Report(page, len(sections), len(packs))


def _sections(files: Any, params: Any) -> list[Mapping]:
    """Quality of every section."""
    counts = dict(zip(params.labelled, files.expression, strict=True))
    pictures = zip(files.tiles, files.overlays, files.stains, files.previews, strict=True)
    return [
        read_quality(sample, about, *of_section, counts.get(sample))
        for (sample, about), of_section in zip(params.sections.items(), pictures, strict=True)
    ]
