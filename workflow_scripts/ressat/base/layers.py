"""How files name predictions: their layers, which model made them, and their unit."""

# Layers of results/predictions/{fold}/{sample}.h5ad.
DIRECT = "direct"
ATTENDED = "attended"
COMBINED = "combined"
OBSERVED = "observed"

# Whose predictions a score rates, and the baseline that the model is compared with.
MODEL, BASELINE = "ressat", "baseline"
TUNED_RIDGE = "tuned_ridge"

EXPRESSION_UNIT = "log1p CP10k"
