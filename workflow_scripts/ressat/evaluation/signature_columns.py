"""Columns of results/evaluation/signatures.tsv that hold text."""

SIGNATURES_TEXT = ("protocol", "fold", "section", "patient", "signature", "genes")
