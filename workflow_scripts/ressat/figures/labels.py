"""Names of layers as people read them."""

LABELS = {
    "training_mean": "training mean",
    "depth_map": "map of predicted depth",
    "observed_depth": "map of observed depth",
    "colour_ridge": "colour ridge",
    "hest_ridge": "HEST-Bench ridge",
    "tuned_kernel": "kernel alone",
    "tuned_ridge": "tuned ridge",
    "tuned_ridge_attended": "tuned ridge, attended",
    "tuned_ridge_smoothed": "tuned ridge, smoothed",
}


def label(layer: str) -> str:
    """Return a layer's name as people read it."""
    return LABELS.get(layer, layer.replace("_", " "))
