"""The panels of genes that scores are summarised over."""

# For each, the column of the gene panel with the training rank that decides membership.
PANELS = {"hvg": "hvg_rank", "heg": "heg_rank", "svg": "svg_rank"}
ALL_GENES = "all"
