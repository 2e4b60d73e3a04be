"""draw_figures: draw the figures for a paper, of the scores and of the best genes.

Input
    per_gene, usable_genes; predictions of the first tested section of each protocol; encoders, if several are
    compared
Output
    accuracy, genes, maps, attention, and encoders if there are several: each as PDF and as PNG
Params
    headline
"""

from ressat.base.files import UNS
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import TESTED, read_results
from ressat.base.tables import read_table
from ressat.encoders.untrained import WATERMARK, is_untrained
from ressat.evaluation.text_columns import ENCODERS, PER_GENE, USABLE_GENES
from ressat.figures import paper_figures, paper_maps
from ressat.figures.paper_encoders import encoders
from ressat.figures.paper_page import journal_style, write_figure

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "draw_figures") as log, journal_style():
    per_gene, usable_genes = (
        read_table(files.per_gene, PER_GENE),
        read_table(files.usable_genes, USABLE_GENES),
    )
    predictions = [read_results(path, needs=TESTED) for path in files.predictions]
    untrained = is_untrained(adata.uns[UNS]["encoder"] for adata in predictions)
    figures = {
        "accuracy": paper_figures.accuracy(per_gene, params.headline),
        "genes": paper_figures.genes(usable_genes),
        "maps": paper_maps.maps(predictions, per_gene, usable_genes),
        "attention": paper_figures.attention(per_gene),
    }
    if files.encoders:
        comparison = read_table(files.encoders, ENCODERS)
        figures["encoders"] = encoders(comparison)
        untrained = untrained or is_untrained(comparison["network"])
    for name, figure in figures.items():
        pdf, png = snakemake.output[name]
        write_figure(figure, pdf, png, WATERMARK if untrained else None)
    log.info("%d figures; maps of %d sections", len(figures), len(predictions))
