"""Names of feature layers where a model reads several encoders: ``encoder.layer``. Standard library only."""

from collections.abc import Iterable

SEPARATOR = "."
# Between the names of several encoders in provenance.
AND = " + "


def joint_name(encoder: str, layer: str) -> str:
    """Return the name of an encoder's layer beside those of other encoders."""
    return f"{encoder}{SEPARATOR}{layer}"


def parted_name(name: str) -> tuple[str | None, str]:
    """Return the encoder and the layer of a name; None where it names no encoder."""
    encoder, separator, layer = name.rpartition(SEPARATOR)
    return (encoder, layer) if separator else (None, name)


def encoders_of(layers: Iterable[str]) -> list[str]:
    """Return the encoders that layers name, each once, in order; none where the names are plain."""
    return [name for name in dict.fromkeys(parted_name(layer)[0] for layer in layers) if name is not None]
