"""Names that more than one step writes or reads, in files and in tables."""

FORMAT_VERSION = 3
"""Version of the file formats below; every file written carries it."""

# Layers of the ResNet50 whose pooled activations are cached, with their widths.
LAYER_WIDTHS = {"layer3": 1024, "layer4": 2048}
LAYERS = tuple(LAYER_WIDTHS)

# The nine colour statistics of a tile, in the order of the columns of `colour`.
COLOUR_STATISTICS = tuple(f"{stat}_{channel}" for stat in ("mean", "sd", "p10") for channel in "RGB")

# Datasets of results/tiles/{sample}.h5
COORDS = "coords"
BARCODES = "barcodes"
TISSUE = "tissue"
LOWRES = "lowres"

# Groups and datasets of results/features/{sample}.h5
FEATURES = "features"
COLOUR = "colour"

# Layers of results/predictions/{fold}/{sample}.h5ad
DIRECT = "direct"
ATTENDED = "attended"
COMBINED = "combined"
OBSERVED = "observed"

# Whose predictions a score is of, and the baseline that the model is held against.
MODEL, BASELINE = "ressat", "baseline"
TUNED_RIDGE = "tuned_ridge"

# Panels of genes that scores are summarised over, by the training rank that decides on membership.
PANELS = {"hvg": "hvg_rank", "heg": "heg_rank", "svg": "svg_rank"}
ALL_GENES = "all"

# Entry of AnnData.uns that holds what this pipeline records.
UNS = "ressat"

# Formats of counts.
SPACE_RANGER, H5AD, SPATIALDATA, LEGACY = "space_ranger", "h5ad", "spatialdata", "legacy"
# Folder of the bins of one size, edge in um, in a run of Visium HD.
BIN_FOLDER = r"square_(\d{3})um"

# Roles of a section in the sheet.
TRAIN, TEST, PREDICT = "train", "test", "predict"

# Schemes of evaluation that the code tells apart; the remaining one is patient_kfold.
HOLDOUT = "holdout"
LEAVE_ONE_PATIENT_OUT, LEAVE_ONE_SECTION_OUT = "leave_one_patient_out", "leave_one_section_out"

# Reserved names of folds: trained on every training section; read from a saved bundle.
FOLD_ALL = "all"
FOLD_BUNDLE = "bundle"

# How the stain reference of a saved model is called where it is used.
BUNDLE_STAIN = "that of the saved model"

EXPRESSION_UNIT = "log1p CP10k"

# Label of every score whose test patient was trained on.
WITHIN_PATIENT = "within-patient replicates"
UNSEEN_PATIENT = "unseen patients"
# What stands in its place beside predictions that cannot be scored.
NOT_SCORED = "not scored"
