"""Colour statistics of tiles."""

import torch

# In the order of their columns.
COLOUR_STATISTICS = tuple(f"{stat}_{channel}" for stat in ("mean", "sd", "p10") for channel in "RGB")
GREY_LEVELS = 256


def colour_statistics(rgb: torch.Tensor) -> torch.Tensor:
    """Return the nine colour statistics of tiles, in the order of `COLOUR_STATISTICS`.

    Parameters
    ----------
    rgb
        Whole grey levels 0 to 255, float, shape (b, 3, h, w).

    Returns
    -------
    torch.Tensor
        float32, shape (b, 9): mean, standard deviation and 10th percentile of R, G and B.
    """
    tiles, pixels = len(rgb), rgb[0, 0].numel()
    # One histogram for all: each channel of each tile has its own 256 bins.
    first = GREY_LEVELS * torch.arange(3 * tiles, dtype=torch.int32, device=rgb.device)
    places = rgb.permute(0, 2, 3, 1).int().add_(first.view(tiles, 1, 1, 3))
    counts = torch.bincount(places.flatten(), minlength=3 * tiles * GREY_LEVELS)
    counts = counts.view(tiles, 3, GREY_LEVELS).double()
    levels = torch.arange(GREY_LEVELS, dtype=torch.float64, device=rgb.device)
    mean = counts @ levels / pixels
    sd = (counts @ levels**2 / pixels - mean**2).clamp_min(0).sqrt()
    tenth = (counts.cumsum(dim=-1) < max(1, round(0.1 * pixels))).sum(dim=-1)
    return torch.cat([mean, sd, tenth], dim=1).float()
