"""From tiles to what a network reads."""

import torch
from torch import nn

from ressat.encoders.encoder import Encoder

WHITE = 255


class Pixels(nn.Module):
    """Resample tiles to the encoder's size, and standardise them.

    Parameters
    ----------
    encoder
        Its description: size, mean and standard deviation.
    dtype
        Of the result; all is computed in float32.
    """

    def __init__(self, encoder: Encoder, dtype: torch.dtype) -> None:
        super().__init__()
        self.px, self.dtype = encoder.px, dtype
        self.register_buffer("mean", WHITE * torch.tensor(encoder.mean).view(1, 3, 1, 1))
        self.register_buffer("sd", WHITE * torch.tensor(encoder.sd).view(1, 3, 1, 1))

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Standardise grey levels 0 to 255, float32, shape (b, 3, h, w)."""
        if self.px is not None and tuple(rgb.shape[-2:]) != (self.px, self.px):
            # As Pillow resizes: a smaller image is a mean of pixels, not a choice among them.
            rgb = nn.functional.interpolate(
                rgb, (self.px, self.px), mode="bicubic", align_corners=False, antialias=True
            ).clamp(0, WHITE)
        return (rgb - self.mean).div_(self.sd).to(self.dtype)
