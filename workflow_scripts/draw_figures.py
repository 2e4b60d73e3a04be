"""draw_figures: draw what papers show of the scores and of the best genes.

Input
    per_gene, usable_genes; predictions of the first tested section of each protocol
Output
    accuracy, genes, maps, attention: each as PDF and as PNG
Params
    headline
"""

from ressat.base import keys
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import read_results
from ressat.base.tables import read_table
from ressat.encoders.untrained import WATERMARK, is_untrained
from ressat.figures import paper_figures, paper_maps
from ressat.figures.paper_page import journal_style, write_figure

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "draw_figures") as log, journal_style():
    per_gene, usable_genes = read_table(files.per_gene), read_table(files.usable_genes)
    predictions = [read_results(path) for path in files.predictions]
    untrained = is_untrained(adata.uns[keys.UNS]["encoder"] for adata in predictions)
    drawn = {
        "accuracy": paper_figures.accuracy(per_gene, params.headline),
        "genes": paper_figures.genes(usable_genes),
        "maps": paper_maps.maps(predictions, per_gene, usable_genes),
        "attention": paper_figures.attention(per_gene),
    }
    for name, figure in drawn.items():
        pdf, png = snakemake.output[name]
        write_figure(figure, pdf, png, WATERMARK if untrained else None)
    log.info("%d figures; maps of %d sections", len(drawn), len(predictions))
