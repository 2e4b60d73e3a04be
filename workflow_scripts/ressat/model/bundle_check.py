"""What a saved model must hold, compared with what one does hold before anything is done with it.

A model may come from anywhere. Its file is bounded before it is unpacked, nothing in it is run, and every
entry is checked: kinds and limits, shapes against one another, and that all numbers are finite.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from ressat.base.archive import record_sizes
from ressat.base.errors import InputError, about
from ressat.base.fields import (
    ANYTHING,
    LONGEST_NAME,
    NAME,
    ListOf,
    Number,
    OneOf,
    Optional,
    Record,
    Sha256,
    Text,
    by_name,
    check_field,
    shown,
)  # fmt: skip
from ressat.base.files import FORMAT_VERSION
from ressat.base.machine import machine_trouble
from ressat.counts.expression_unit import LOG1P_CP10K, PLAIN, THINNED, ExpressionUnit
from ressat.encoders.encoder import RANDOM
from ressat.encoders.layer_names import AND, parted_name
from ressat.encoders.registry import ENCODERS
from ressat.evaluation.panels import PANELS
from ressat.model.bundle_tensors import check_memory, check_tensors
from ressat.model.reliability import check_reliability, reliability_field
from ressat.stain.methods.registry import METHODS
from ressat.stain.section_stain import SectionStain

ACTION = "name another model under model.use, or, if this study trained it, remove it and run again"
# The most members, as in schemas/config.schema.json, and widths beyond any network's.
MOST_MEMBERS, MOST_ENCODERS, WIDEST = 100, 50, 1_000_000
# The file of an encoder of the user's own, see `ressat.encoders.families.own`.
OWN_ENCODER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\.py")
SHARE = Number(0, 1)
COUNT = Number(0, 1e12, whole=True)
HEAD = {
    "hidden": Number(0, WIDEST, whole=True),
    "dropout": Number(0, 0.999999),
    "members": Number(1, MOST_MEMBERS, whole=True),
}
# As the sheet may have them, see schemas/samples.schema.json.
PATIENT = Text(LONGEST_NAME, seen=False)
LAYERS = ListOf(NAME, least=1, most=100, distinct=True)
TRIAL = Record(
    {
        "layers": LAYERS,
        "context": Number(0, 1000),
        **HEAD,
        "steps": COUNT,
        "attended_share": SHARE,
        # A correlation, with room for rounding.
        "held_back_pearson": Number(-1.001, 1.001),
    }
)
PROVENANCE = Record(
    {
        "fold": NAME,
        "sections": ListOf(NAME, least=1, distinct=True),
        "patients": ANYTHING,
        "slides": ANYTHING,
        "held_back_in_turn": ListOf(Text(seen=False), least=1, most=100),
        "chosen": TRIAL,
        "tried": ListOf(TRIAL, least=1, most=10_000),
        "encoder": Text(LONGEST_NAME * MOST_ENCODERS),
        "seed": Number(0, 2**64, whole=True),
        "config_hash": Sha256(),
    }
)
KERNEL = Optional(
    Record(
        {
            "share": Number(0, 1),
            "weights": ANYTHING,
            "intercept": ANYTHING,
            "blocks": ListOf(
                Record(
                    {"mean": ANYTHING, "sd": ANYTHING, "landmarks": ANYTHING, "width": Number(1e-9, 1e12)}
                ),
                least=1,
                most=2,
            ),
        }
    )
)
# Of a unit of expression; see `ressat.counts.expression_unit`. The limit is that of a count.
UNIT = Record({"name": OneOf([PLAIN, THINNED]), "depth": Optional(Number(1, 1e9, whole=True))})
# What features must match; limits are those of schemas/config.schema.json.
REQUIRES = Record(
    {
        "weights_sha256": Sha256(),
        "tile_um": Number(5, 5000),
        "tile_px": Number(32, 2048, whole=True),
        "stain": OneOf(METHODS.names),
        "stain_target": Text(),
    }
)


def read_bundle(path: str | Path) -> dict:
    """Read a saved model's content, all of it checked.

    Raises
    ------
    InputError
        If the file is not such a model, is one of another version, or an entry is not what it must be.
    """
    with about(file=path):
        try:
            content, sizes = _load(path)
            if type(content) is dict:
                # Models saved before there was a kernel, another unit than this, or a known reliability.
                content.setdefault("kernel", None)
                content.setdefault("unit", dict(vars(LOG1P_CP10K)))
                content.setdefault("reliability", None)
            check_content(content)
            check_memory(content, sizes)
        except InputError as error:
            error.action = error.action or ACTION
            raise
    return content


def check_content(content: object) -> None:
    """Refuse a saved model's content, as `torch.load` gives it, that is not what it must be.

    Raises
    ------
    InputError
        Naming the first entry that is wrong, what it is and what was expected.
    """
    if type(content) is not dict or "version" not in content:
        raise InputError(
            f"it cannot be read as a saved model (it holds {shown(content)}, without a version)",
            expected="a model.pt that this pipeline wrote",
        )
    _check_version(content["version"])
    number = len(content["genes"]) if type(content.get("genes")) is list else 1
    entries = {
        "version": ANYTHING,
        "genes": ListOf(NAME, least=1, distinct=True),
        "provenance": PROVENANCE,
        "inputs": Record({"layers": LAYERS, "context_um": Number(0, 1e6)}),
        "settings": Record(HEAD),
        "attended_share": SHARE,
        "steps": COUNT,
        "requires": REQUIRES,
        "ranks": by_name(PANELS.values(), ListOf(Number(1, number, undefined=True), number, number)),
        "scalers": ANYTHING,
        "head": ANYTHING,
        "kernel": KERNEL,
        "unit": UNIT,
        "reliability": reliability_field(number),
    }
    check_field(content, Record(entries), "")
    check_tensors(content, _width(content), number)
    _check_provenance(content)
    for name, ranks in content["ranks"].items():
        _check_ranks(name, ranks)
    _check_stain(content["requires"])
    check_reliability(content["reliability"], number)
    ExpressionUnit(**content["unit"])


def _load(path: str | Path) -> tuple[object, list[int]]:
    """Read the file; nothing in it is run, and no more is unpacked than the file holds."""
    try:
        sizes = record_sizes(path)
        return torch.load(path, map_location="cpu", weights_only=True), sizes
    except InputError:
        raise
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        if isinstance(error, OSError) and machine_trouble(error) is not None:
            raise
        kind = "no file of torch.save" if isinstance(error, zipfile.BadZipFile) else type(error).__name__
        raise InputError(
            f"it cannot be read as a saved model ({kind})", expected="a model.pt that this pipeline wrote"
        ) from error


def _check_version(version: object) -> None:
    if type(version) is not int:
        raise InputError(
            f"a saved model whose version is {shown(version)}, of type {type(version).__name__}",
            expected=f"the whole number {FORMAT_VERSION}",
        )
    if version != FORMAT_VERSION:
        raise InputError(
            f"a saved model of version {shown(version)}",
            expected=f"version {FORMAT_VERSION}",
            action="train it again with this version",
        )


def _width(content: Mapping) -> int:
    """How many features a spot has: as its encoder gives; else, as for several, as its scaler has."""
    encoders, layers = content["provenance"]["encoder"].split(AND), content["inputs"]["layers"]
    _check_layers(layers)
    for encoder in encoders:
        if not _is_registered(encoder) and not OWN_ENCODER.fullmatch(encoder):
            raise InputError(
                f"provenance.encoder is {shown(encoder)}",
                expected=f"one of {', '.join(ENCODERS.names)}, or the file of an encoder of the user's own",
            )
    if len(encoders) == 1 and _is_registered(encoders[0]):
        widths = ENCODERS.load(encoders[0].split()[0]).layers
        plain = [parted_name(layer)[1] for layer in layers]
        check_field(plain, ListOf(OneOf(list(widths))), "inputs.layers")
        return sum(widths[layer] for layer in plain)
    features = content["scalers"].get("features") if type(content["scalers"]) is dict else None
    mean = features.get("mean") if type(features) is dict else None
    width = mean.numel() if isinstance(mean, torch.Tensor) else 0
    check_field(width, Number(len(layers), WIDEST, whole=True), "the length of scalers.features.mean")
    return width


def _check_layers(layers: list[str]) -> None:
    """Names are those of one encoder's cache, or all name their encoder too."""
    parts = [parted_name(layer) for layer in layers]
    if (
        any(not layer or encoder == "" for encoder, layer in parts)
        or len({not encoder for encoder, _ in parts}) > 1
    ):
        raise InputError(
            f"inputs.layers are {', '.join(map(shown, layers))}",
            expected="names of layers, or of each an encoder, a full stop and the name of its layer",
        )


def _is_registered(encoder: str) -> bool:
    return encoder.removesuffix(f" {RANDOM}") in ENCODERS.names


def _check_provenance(content: Mapping) -> None:
    """What is said twice is said alike."""
    provenance = content["provenance"]
    for name, field in {"patients": PATIENT, "slides": NAME}.items():
        check_field(provenance[name], by_name(provenance["sections"], field), f"provenance.{name}")
    chosen = provenance["chosen"]
    same = {
        "layers": content["inputs"]["layers"],
        "attended_share": content["attended_share"],
        "steps": content["steps"],
        **content["settings"],
    }
    for name, value in same.items():
        if chosen[name] != value:
            raise InputError(
                f"provenance.chosen.{name} is {shown(chosen[name])}, and the model has {shown(value)}",
                expected="the same in both",
            )


def _check_ranks(name: str, ranks: list) -> None:
    """Ranks are 1, 2 and so on, in any order; undefined ones are nan."""
    defined = sorted(rank for rank in ranks if rank == rank)
    if defined != list(range(1, len(defined) + 1)):
        raise InputError(
            f"ranks.{name} are not the places of its genes", expected="1, 2 and so on, each once, or nan"
        )


def _check_stain(requires: Mapping) -> None:
    """The reference is one that sections can be normalised to, and written as this pipeline writes it."""
    try:
        reference = SectionStain.from_target(requires["stain_target"], "that of the saved model")
    except InputError as error:
        raise InputError(f"requires.stain_target: {error.problem}", expected=error.expected) from error
    # The same numbers may be written in several ways; features carry the text.
    written = json.dumps(json.loads(requires["stain_target"]), sort_keys=True)
    if reference.method != requires["stain"] or written != requires["stain_target"]:
        raise InputError(
            f"requires.stain_target is that of {reference.method} in another form, for stain "
            f"{requires['stain']}",
            expected="a reference of the same method, as this pipeline writes it",
        )
