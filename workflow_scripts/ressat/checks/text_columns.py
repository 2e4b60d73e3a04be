"""Columns of text in results/folds/{fold}/sections.tsv, which the check of a fold writes."""

FOLD_SECTIONS = ("section", "patient", "side", "slide_sha256", "counts_sha256")
