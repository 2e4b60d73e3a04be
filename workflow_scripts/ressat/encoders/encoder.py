"""What is known about an encoder, F, before it is loaded. Standard library only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

# The setting ``features.weights`` for random weights, and the last word of the encoder's name in provenance.
RANDOM = "random"
# Outputs of a vision transformer, after its last normalisation.
CLASS_TOKEN, PATCH_MEAN = "class_token", "patch_mean"
# Precisions, the coarsest first.
BF16, FP32 = "bf16", "fp32"
# Standardisations that several encoders share: that of ImageNet's pixels, and that to -1..1.
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)

Colour = tuple[float, float, float]

# What timm's names of architectures say: the edge of a patch in pixels, and the number of registers.
PATCH, REGISTERS = re.compile(r"_patch(\d+)"), re.compile(r"_reg(\d+)")
# How many numbers a block holds at most for each token, in widths of the network. In a SwiGLU, these are its
# input before and after normalisation, and four times its inner width, which is 2.7 widths. Attention, which
# makes no matrix of all pairs, holds fewer.
WIDTHS_HELD = 14


@dataclass(frozen=True)
class PublishedWeights:
    """Weights of an encoder that can be downloaded.

    Attributes
    ----------
    url
        Of the file.
    sha256
        Of the file's content, or its first digits.
    words
        What they are, for the report's methods.
    citation
        Of the data they were trained on.
    """

    url: str
    sha256: str
    words: str
    citation: str


@dataclass(frozen=True)
class Architecture:
    """A network of timm.

    Attributes
    ----------
    name
        As timm registers it.
    arguments
        In which it differs, as ``timm.create_model`` takes them; ``img_size`` is that of the weights. Classes
        are given by name: ``mlp_layer`` in ``timm.layers``, ``act_layer`` in ``torch.nn``.
    """

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Encoder:
    """An encoder's description.

    Attributes
    ----------
    name
        In settings and files.
    title
        As people write it.
    family
        Module of `ressat.encoders.families` that builds the network.
    layers
        Widths of the cached outputs, by name, in the order in which they are concatenated.
    default_layers
        Those that the model's head reads if the settings name none.
    hest_layers
        Those that HEST-Bench's ridge reads.
    mean, sd
        Mean and standard deviation of the network's training pixels; RGB scaled to 0..1.
    words
        What the features are, for the report's methods.
    citation
        Of the network.
    licence
        Of the weights.
    page
        Where the weights can be had.
    parameters
        How many numbers the network has; 0 if unknown.
    published
        Weights that can be downloaded, by the name that the setting ``features.weights`` gives them.
    gated
        Whether access has to be asked for.
    px
        Edge of the image that the network reads, in pixels, to which tiles are resampled; None for any.
    tile_um
        Edge of the tissue on that image, in um, as its authors cut it; None if it saw no tissue.
    precision
        The coarsest that is known to be safe: ``bf16`` or ``fp32``.
    architecture
        Of a vision transformer.
    definition
        The user's file that has the network; None for a member of the registry.
    own_pixels
        Whether ``mean`` and ``sd`` are those of the settings.
    """

    name: str
    title: str
    family: str
    layers: Mapping[str, int]
    default_layers: tuple[str, ...]
    hest_layers: tuple[str, ...]
    mean: Colour
    sd: Colour
    words: str
    citation: str
    licence: str
    page: str
    parameters: int
    published: Mapping[str, PublishedWeights] = field(default_factory=dict)
    gated: bool = False
    px: int | None = None
    tile_um: float | None = None
    precision: str = BF16
    architecture: Architecture | None = None
    definition: str | None = None
    own_pixels: bool = False

    def with_pixels(self, mean: Colour | None, sd: Colour | None) -> "Encoder":
        """Return the encoder with a standardisation of the user's own; None leaves it as it is."""
        if mean is None and sd is None:
            return self
        mean, sd = (tuple(map(float, values)) for values in (mean or self.mean, sd or self.sd))
        if (mean, sd) == (self.mean, self.sd):
            return self
        return replace(self, mean=mean, sd=sd, own_pixels=True)

    @property
    def tokens(self) -> int:
        """How many tokens a vision transformer makes of a tile, registers included; 0 for others."""
        if self.architecture is None or self.px is None:
            return 0
        name, arguments = self.architecture.name, self.architecture.arguments
        patch, registers = PATCH.search(name), REGISTERS.search(name)
        patch_px = arguments.get("patch_size") or patch[1]
        register_tokens = arguments.get("reg_tokens") or (registers[1] if registers else 0)
        return (self.px // int(patch_px)) ** 2 + int(register_tokens) + 1

    @property
    def activations(self) -> int:
        """At most how many numbers a vision transformer holds at a time for a tile; 0 for others."""
        return self.tokens * WIDTHS_HELD * self.layers[CLASS_TOKEN] if self.tokens else 0
