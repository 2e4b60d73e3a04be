"""What is known about an encoder, F, before it is loaded. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass

# The setting ``features.weights`` for random weights, and the last word of the encoder's name in provenance.
RANDOM = "random"


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
    published
        Weights that can be downloaded, by the name that the setting ``features.weights`` gives them.
    words
        What the features are, for the report's methods.
    citation
        Of the network.
    """

    name: str
    title: str
    family: str
    layers: Mapping[str, int]
    default_layers: tuple[str, ...]
    hest_layers: tuple[str, ...]
    mean: tuple[float, float, float]
    sd: tuple[float, float, float]
    published: Mapping[str, PublishedWeights]
    words: str
    citation: str
