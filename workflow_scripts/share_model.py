"""share_model: put what the study has measured into the model of all training sections, to be shared.

Input
    model, that of the fold all; usable_genes, per_gene and summary, empty where nothing is tested
Output
    model: the same with the reliability of its genes; card: what it is, in Markdown
Params
    headline, encoders (title, licence and page of each that is read)
"""

from collections import Counter
from dataclasses import replace

from ressat.base.errors import about
from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.base.tables import read_table
from ressat.evaluation.text_columns import PER_GENE, SUMMARY, USABLE_GENES
from ressat.model.bundle import Bundle
from ressat.trust.model_card import model_card
from ressat.trust.reliability import measured_reliability, study_scores

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "share_model") as log:
    bundle, scores = Bundle.read(files.model), []
    if files.usable_genes:
        usable_genes = read_table(files.usable_genes, USABLE_GENES)
        per_gene = read_table(files.per_gene, PER_GENE)
        reliability = measured_reliability(usable_genes, per_gene, bundle.genes, params.headline)
        scores = study_scores(
            read_table(files.summary, SUMMARY), per_gene, reliability.protocol, params.headline
        )
        bundle = replace(bundle, reliability=reliability)
    with about(file=files.model):
        bundle.write(snakemake.output.model)
    write_text(snakemake.output.card, model_card(bundle, params.encoders, scores))
    verdicts = Counter(bundle.reliability.genes["verdict"])
    log.info("%s", ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())))
