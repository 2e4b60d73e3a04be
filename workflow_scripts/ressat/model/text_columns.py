"""Columns of text in results/folds/{fold}/genes.tsv, the gene panel."""

PANEL = ("gene", "method", "sections")
