"""Columns of text in the tables that evaluation and the report read."""

LAYER = ("protocol", "fold", "section", "patient", "model", "layer")
PER_GENE = (*LAYER, "gene")
PER_SECTION = (*LAYER, "panel", "trained_on")
SUMMARY = ("protocol", "model", "layer", "panel", "level", "patient")
USABLE_GENES = ("protocol", "gene", "claim")
SCALES = ("protocol", "gene")
ENCODERS = ("protocol", "encoder", "network", "model", "layer", "level", "patient")
CEILING = ("gene",)
# Of results/interaction.
SPOTS, GENES = ("spot",), ("gene",)
# Of results/folds/{fold}/history.tsv.
HISTORY = ("stage",)
