"""The features of one section from the caches of one or several encoders."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError, about
from ressat.encoders.layer_names import AND, encoders_of, joint_name, parted_name
from ressat.features.cache import Features

Caches = Mapping[str, str | Path]
"""Paths of a section's caches by the encoder's name in the study."""


def caches_by_section(files: Sequence[str], encoders: Sequence[str]) -> list[dict[str, str]]:
    """Sort the caches of some sections by section.

    Parameters
    ----------
    files
        All sections of the first encoder, all of the second, and so on.
    encoders
        Their names; none for a single one, which needs no name.

    Returns
    -------
    list of dict
        The caches of each section by encoder.
    """
    encoders = encoders or [""]
    number = len(files) // len(encoders)
    rows = [files[place * number : (place + 1) * number] for place in range(len(encoders))]
    return [dict(zip(encoders, of_section, strict=True)) for of_section in zip(*rows, strict=True)]


def read_features(caches: Caches, layers: Sequence[str] | None = ()) -> Features:
    """Read some layers of a section.

    Parameters
    ----------
    caches
        Its caches; layers of several encoders are named ``encoder.layer``.
    layers
        What to read, side by side; None for all layers of all encoders. Names without an encoder are layers
        of the first. Caches of which nothing is read are not opened.

    Returns
    -------
    Features
        Of several encoders, those whose layers were read, ``encoder`` names them all, and
        ``weights_sha256`` is `joint_sha256`.

    Raises
    ------
    InputError
        As for `ressat.features.cache.Features.read`; or if a layer's encoder has no cache, or the caches are
        not of the same tiles.
    """
    names = list(caches) if layers is None else encoders_of(layers)
    if not names or (layers is None and len(names) == 1):
        return Features.read(next(iter(caches.values())), layers)
    for name in names:
        if name not in caches:
            raise InputError(
                f"there are no features of the encoder {name}, of which the model reads {', '.join(layers)}",
                expected=f"layers of {' and '.join(caches)}",
                action="name the encoders of the model under features.encoders, as where it was trained",
            )
    parts = {
        name: Features.read(caches[name], None if layers is None else _plain(layers, name)) for name in names
    }
    first = parts[names[0]]
    for name, part in parts.items():
        with about(section=first.section, file=caches[name]):
            _refuse_other_tiles(first, part)
    widths = {
        joint_name(name, layer): width for name, part in parts.items() for layer, width in part.widths.items()
    }
    return replace(
        first,
        values=np.hstack(_columns(parts, list(widths) if layers is None else layers, widths)),
        attrs=_joint_attrs(parts),
        widths=widths,
    )


def read_attributes(caches: Caches, layers: Sequence[str]) -> dict:
    """Return the ``attrs`` that `read_features` gives, without reading features."""
    names = encoders_of(layers) or list(caches)[:1]
    return _joint_attrs({name: Features.read(caches[name]) for name in names})


def joint_sha256(digests: Mapping[str, str]) -> str:
    """Return one SHA-256 for the weights of several encoders, by their names; of one, its own."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _joint_attrs(parts: Mapping[str, Features]) -> dict:
    first = next(iter(parts.values()))
    digests = {name: part.attrs["weights_sha256"] for name, part in parts.items()}
    return first.attrs | {
        "encoder": AND.join(part.attrs["encoder"] for part in parts.values()),
        "weights_sha256": joint_sha256(digests),
    }


def _plain(layers: Sequence[str], encoder: str) -> list[str]:
    """The layers of one encoder, by the names in its cache."""
    return [layer for owner, layer in map(parted_name, layers) if owner == encoder]


def _columns(
    parts: Mapping[str, Features], layers: Sequence[str], widths: Mapping[str, int]
) -> list[np.ndarray]:
    """Tables of shape (spots, width), in the order of the layers."""
    ends = dict.fromkeys(parts, 0)
    columns = [np.empty((len(next(iter(parts.values())).coords), 0), np.float32)]
    for layer in layers:
        encoder, _ = parted_name(layer)
        start, ends[encoder] = ends[encoder], ends[encoder] + widths[layer]
        columns.append(parts[encoder].values[:, start : ends[encoder]])
    return columns


def _refuse_other_tiles(first: Features, other: Features) -> None:
    same = (
        first.section == other.section
        and np.array_equal(first.barcodes, other.barcodes)
        and np.array_equal(first.coords, other.coords)
    )
    if not same:
        raise InputError(
            "its tiles are not those of the first encoder's features",
            expected="features of the same tiles by every encoder",
            action="remove the file and run again",
        )
