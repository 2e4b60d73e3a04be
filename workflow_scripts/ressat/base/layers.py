"""How files name predictions: their layers, which model made them, and their unit."""

# Layers of results/predictions/{fold}/{sample}.h5ad.
DIRECT = "direct"
ATTENDED = "attended"
COMBINED = "combined"
OBSERVED = "observed"
# Total counts of the spots, in obs.
N_COUNTS = "n_counts"

# Whose predictions a score rates, and the baseline that the model is compared with.
MODEL, BASELINE = "ressat", "baseline"
TUNED_RIDGE = "tuned_ridge"
TUNED_KERNEL = "tuned_kernel"
# One map for all genes: of the sequencing depth as predicted from the image and, as an oracle, as observed.
DEPTH_MAP = "depth_map"
ORACLE, OBSERVED_DEPTH = "oracle", "observed_depth"

EXPRESSION_UNIT = "log1p CP10k"
