"""Stain normalisation and the encoder over a stream of tiles."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from ressat.features.cache import COLOUR
from ressat.features.colour import colour_statistics
from ressat.stain.transform import PixelTransform


class StainLayer(torch.nn.Module):
    """A `PixelTransform` on batches of images, on the device that runs the network."""

    def __init__(self, transform: PixelTransform) -> None:
        super().__init__()
        for name in ("pre", "matrix", "post"):
            values = getattr(transform, name)
            matrix = torch.tensor(values, dtype=torch.float32).view(3, 3, 1, 1)
            # Macenko mixes densities only: its other two matrices are the identity.
            needed = name == "matrix" or not np.array_equal(values, np.eye(3))
            self.register_buffer(name, matrix if needed else None)
        self.register_buffer("offset", torch.tensor(transform.offset, dtype=torch.float32))

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Transform grey levels 0 to 255, float, shape (b, 3, h, w), to whole grey levels.

        The given tensor is overwritten: allocating more memory would take as long as the arithmetic.
        """
        mixed = rgb if self.pre is None else torch.conv2d(rgb, self.pre)
        result = torch.conv2d(mixed.log1p_(), self.matrix, self.offset).exp_()
        if self.post is not None:
            result = torch.conv2d(result, self.post)
        # Grey levels are whole numbers, cut off as in 8-bit images: what is cached does not depend on
        # whether a normalised image was ever stored.
        return result.clamp_(0, 255).floor_()


def encode(
    batches: Iterable[torch.Tensor],
    network: torch.nn.Module,
    transform: PixelTransform | None,
    device: str,
    *,
    colour: bool = True,
) -> Iterator[dict[str, np.ndarray]]:
    """Run stain normalisation and network over batches of tiles.

    Parameters
    ----------
    batches
        Tiles, uint8, shape (b, h, w, 3).
    network
        F; see `ressat.encoders.network.build_network`.
    transform
        Stain normalisation; None for none.
    device
        Where all of it runs, ``cuda`` or ``cpu``.
    colour
        Whether colour statistics are taken.

    Yields
    ------
    dict of numpy.ndarray
        ``colour`` float32 (b, 9) if asked for, and float16 (b, width) for each cached layer.
    """
    # By default a GPU's fp32 convolutions keep 10 bits of the mantissa: too few for grey levels.
    torch.backends.cudnn.allow_tf32 = False
    network = network.to(device, memory_format=torch.channels_last)
    stain = None if transform is None else StainLayer(transform).to(device)
    # A GPU computes a batch while the one before it is fetched from it and written.
    started = None
    for batch in batches:
        before, started = started, _start(batch, network, stain, device, colour)
        if before is not None:
            yield _fetched(before)
    if started is not None:
        yield _fetched(started)


def _start(
    batch: torch.Tensor, network: torch.nn.Module, stain: StainLayer | None, device: str, colour: bool
) -> dict[str, torch.Tensor]:
    # A lone image takes another kernel, which rounds differently: it is computed together with a copy,
    # so that no tile's features depend on how many tiles happen to be in its batch.
    tiles = batch.repeat(2, 1, 1, 1) if len(batch) == 1 else batch
    with torch.inference_mode():
        # A permuted view of (b, h, w, 3) is channels_last already: nothing is copied.
        rgb = tiles.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
        if stain is not None:
            rgb = stain(rgb)
        computed = {COLOUR: colour_statistics(rgb)[: len(batch)]} if colour else {}
        return computed | {name: layer[: len(batch)].half() for name, layer in network(rgb).items()}


def _fetched(computed: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: values.cpu().numpy() for name, values in computed.items()}
