"""share_model: put what the study has measured into the model of all training sections, to be shared.

Input
    model, that of the fold all; usable_genes, per_gene and summary, empty where nothing is tested
Output
    model: the same with the reliability of its genes; card: what it is, in Markdown
Params
    headline, encoders (title, licence and page of each, by name), is_itself_tested (whether a tested model
    learnt from the same sections)
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
        scores = study_scores(read_table(files.summary, SUMMARY), reliability.protocol, params.headline)
        bundle = replace(bundle, reliability=reliability)
    else:
        genes = bundle.reliability.genes
        reasons = ["no section was tested that the model had not learnt from"] * len(bundle.genes)
        bundle = replace(bundle, reliability=replace(bundle.reliability, genes=genes | {"reason": reasons}))
    with about(file=files.model):
        bundle.write(snakemake.output.model)
    card = model_card(bundle, params.encoders, scores, is_itself_tested=params.is_itself_tested)
    write_text(snakemake.output.card, card)
    verdicts = Counter(bundle.reliability.genes["verdict"])
    log.info("%s", ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())))
