"""Stain normalisation and ResNet50 over a stream of tiles."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from ressat.base import keys
from ressat.encoders.resnet50 import Encoder
from ressat.stain.methods import PixelTransform

GREY_LEVELS = 256


class StainLayer(torch.nn.Module):
    """A `PixelTransform` on batches of images, on the device that runs the network."""

    def __init__(self, transform: PixelTransform) -> None:
        super().__init__()
        for name in ("pre", "matrix", "post"):
            values = getattr(transform, name)
            matrix = torch.tensor(values, dtype=torch.float32).view(3, 3, 1, 1)
            # Macenko mixes densities only: its other two products would be by 1.
            needed = name == "matrix" or not np.array_equal(values, np.eye(3))
            self.register_buffer(name, matrix if needed else None)
        self.register_buffer("offset", torch.tensor(transform.offset, dtype=torch.float32))

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Transform grey levels 0 to 255, float, shape (b, 3, h, w), to whole grey levels.

        The given tensor is overwritten: fetching more memory would take as long as the arithmetic.
        """
        mixed = rgb if self.pre is None else torch.conv2d(rgb, self.pre)
        result = torch.conv2d(mixed.log1p_(), self.matrix, self.offset).exp_()
        if self.post is not None:
            result = torch.conv2d(result, self.post)
        # Grey levels are whole numbers, cut off as in 8-bit images: what is cached does not depend on
        # whether a normalised image was ever stored.
        return result.clamp_(0, 255).floor_()


def colour_statistics(rgb: torch.Tensor) -> torch.Tensor:
    """Return the nine colour statistics of tiles, in the order of `keys.COLOUR_STATISTICS`.

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
    # One histogram for all: each channel of each tile has 256 places of its own.
    first = GREY_LEVELS * torch.arange(3 * tiles, dtype=torch.int32, device=rgb.device)
    places = rgb.permute(0, 2, 3, 1).int().add_(first.view(tiles, 1, 1, 3))
    counts = torch.bincount(places.flatten(), minlength=3 * tiles * GREY_LEVELS)
    counts = counts.view(tiles, 3, GREY_LEVELS).double()
    levels = torch.arange(GREY_LEVELS, dtype=torch.float64, device=rgb.device)
    mean = counts @ levels / pixels
    sd = (counts @ levels**2 / pixels - mean**2).clamp_min(0).sqrt()
    tenth = (counts.cumsum(dim=-1) < max(1, round(0.1 * pixels))).sum(dim=-1)
    return torch.cat([mean, sd, tenth], dim=1).float()


def encode(
    batches: Iterable[torch.Tensor], encoder: Encoder, transform: PixelTransform | None, device: str
) -> Iterator[dict[str, np.ndarray]]:
    """Run stain normalisation and network over batches of tiles.

    Parameters
    ----------
    batches
        Tiles, uint8, shape (b, h, w, 3).
    encoder
        F.
    transform
        Stain normalisation; None for none.
    device
        Where all of it runs, ``cuda`` or ``cpu``.

    Yields
    ------
    dict of numpy.ndarray
        ``colour`` float32 (b, 9), and float16 (b, width) for each cached layer.
    """
    # By default a GPU's fp32 convolutions keep 10 bits of the mantissa: too few for grey levels.
    torch.backends.cudnn.allow_tf32 = False
    encoder = encoder.to(device, memory_format=torch.channels_last)
    stain = None if transform is None else StainLayer(transform).to(device)
    # A GPU computes a batch while the one before it is fetched from it and written.
    started = None
    for batch in batches:
        before, started = started, _start(batch, encoder, stain, device)
        if before is not None:
            yield _fetched(before)
    if started is not None:
        yield _fetched(started)


def _start(
    batch: torch.Tensor, encoder: Encoder, stain: StainLayer | None, device: str
) -> dict[str, torch.Tensor]:
    # A lone image takes another kernel, which rounds differently: it is computed beside a copy of itself,
    # so that no tile's features depend on how many tiles happen to be in its batch.
    tiles = batch.repeat(2, 1, 1, 1) if len(batch) == 1 else batch
    with torch.inference_mode():
        # A permuted view of (b, h, w, 3) is channels_last already: nothing is copied.
        rgb = tiles.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
        if stain is not None:
            rgb = stain(rgb)
        colour = colour_statistics(rgb)
        pooled = encoder(rgb)
    return {
        keys.COLOUR: colour[: len(batch)],
        **{name: layer[: len(batch)].half() for name, layer in pooled.items()},
    }


def _fetched(computed: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: values.cpu().numpy() for name, values in computed.items()}
