"""The encoders that a config names. Standard library only."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.lfs_pointer import refuse_pointer
from ressat.base.names import alike, alike_path_hint, spelled_out
from ressat.base.path_kind import refuse_special
from ressat.encoders.choice import choose_encoder
from ressat.encoders.encoder import Encoder
from ressat.encoders.layer_names import joint_name, parted_name
from ressat.encoders.own_encoder import SUFFIX
from ressat.encoders.registry import ENCODERS
from ressat.workflow.study_encoder import StudyEncoder
from ressat.workflow.user_paths import expand_path

# What may stand in features.encoder beside the names of the registry.
OWN_FILE = "the path of a Python file with an encoder of your own"
# The settings of an encoder, with what config.yaml has for the one of a study.
DEFAULTS = {"encoder": "resnet50", "weights": "IMAGENET1K_V2", "mean": None, "sd": None}


@dataclass(frozen=True)
class EncoderEntry:
    """What a config says of an encoder, before it is checked.

    Attributes
    ----------
    place
        Where it stands in the config.
    settings
        What stands there; it may be anything.
    encoder
        None where it names neither a member of the registry nor a Python file.
    """

    place: str
    settings: Mapping
    encoder: Encoder | None

    @property
    def default_weights(self) -> str | None:
        """The weights where none are named: the last published ones, if any are."""
        return next(reversed(self.encoder.published), None) if self.encoder else None

    @property
    def needs_weights(self) -> bool:
        """Whether weights have to be named."""
        return self.encoder is not None and not (self.encoder.published or self.encoder.definition)


def encoder_entries(config: Mapping) -> list[EncoderEntry]:
    """Return what a config says of its encoders: under ``features.encoders``, or, without it, ``features``.

    Parameters
    ----------
    config
        The settings, which may be anything.

    Raises
    ------
    InputError
        If one names a Python file, and there is no such file, or no encoder in it.
    """
    features = config.get("features")
    if not isinstance(features, dict):
        return []
    several = features.get("encoders")
    if several is None:
        return [_entry("features", features)]
    rows = several if isinstance(several, list) else []
    return [
        _entry(f"features.encoders.{place}", row if isinstance(row, dict) else {})
        for place, row in enumerate(rows)
    ]


def study_encoders(config: Mapping) -> dict[str, StudyEncoder]:
    """Return the encoders of a config that was checked, by name, the first one first.

    Raises
    ------
    InputError
        If two have the same name; if ``features.encoders`` and ``features.encoder`` differ; if a path of
        weights cannot be read.
    """
    encoders: dict[str, StudyEncoder] = {}
    entries = encoder_entries(config)
    if config["features"]["encoders"] is not None:
        _refuse_both(config["features"])
    for place, entry in enumerate(entries):
        if entry.encoder is None:
            raise RuntimeError("the config was not checked")
        settings = {"weights": entry.default_weights, "mean": None, "sd": None} | dict(entry.settings)
        name = settings.get("name", entry.encoder.name)
        if name in encoders:
            raise InputError(
                f"{entry.place} is a second encoder named {name}",
                expected="a name of its own for each encoder of a study",
                action="add a name to it, such as {name: "
                + f"{name}_2, encoder: {settings['encoder']}"
                + "}",
            )
        encoders[name] = StudyEncoder.of(name, entry.encoder, settings, place=entry.place, is_first=not place)
    for one, other in alike(encoders):
        raise InputError(
            f"encoders are named {spelled_out(one)} and {spelled_out(other)}, which differ in form alone",
            expected="names that differ in more than case",
            action="give one another name",
        )
    return encoders


def with_encoders(config: Mapping, encoders: Mapping[str, StudyEncoder]) -> dict:
    """Return settings with the first encoder under ``features``, and its default where layers are null.

    Layers are named as the caches name them if all models read the first encoder alone, as they do in a study
    of one encoder, so that a further encoder changes nothing for them; else as ``encoder.layer``.

    Parameters
    ----------
    config
        Settings that were checked.
    encoders
        Of the study.
    """
    first = next(iter(encoders))
    default = list(encoders[first].description.default_layers)
    models = [config["model"], *config["model"]["candidates"]]
    layers = [_parted(model["layers"] or default, first) for model in models if "layers" in model]
    for names in layers:
        _refuse_twice(names)
    is_plain = {encoder for names in layers for encoder, _ in names} == {first}
    written = iter(
        [layer if is_plain else joint_name(encoder, layer) for encoder, layer in names] for names in layers
    )

    def with_names(model: Mapping) -> dict:
        return dict(model) | ({"layers": next(written)} if "layers" in model else {})

    # In the order of the names above.
    model, *candidates = map(with_names, models)
    features = config["features"] | {name: encoders[first].settings[name] for name in DEFAULTS}
    return {**config, "features": features, "model": model | {"candidates": candidates}}


def _parted(layers: Sequence[str], first: str) -> list[tuple[str, str]]:
    """Encoder and layer of each name; a plain one is the first encoder's."""
    return [(encoder or first, layer) for encoder, layer in map(parted_name, layers)]


def _refuse_twice(names: Sequence[tuple[str, str]]) -> None:
    """Refuse a layer that stands in one list by both of its names."""
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError(
                f"the layers of a model name {name[1]} of the encoder {name[0]} twice",
                expected="each layer once; one without an encoder is the first encoder's",
                action=f"remove {name[1]} or {joint_name(*name)} from model.layers, or from the candidate",
            )


def _refuse_both(features: Mapping) -> None:
    for name, default in DEFAULTS.items():
        if features[name] != default:
            raise InputError(
                f"features.encoders names encoders, and features.{name} is set beside it",
                expected="all settings of encoders in one place",
                action=f"remove features.{name}, or write it into an entry of features.encoders",
            )


def _entry(place: str, settings: Mapping) -> EncoderEntry:
    name, encoder = settings.get("encoder"), None
    if isinstance(name, str):
        if name.endswith(SUFFIX):
            encoder = choose_encoder(name, _own_file(name, f"{place}.encoder"))
        elif name in ENCODERS.names:
            encoder = choose_encoder(name)
    return EncoderEntry(place, settings, encoder)


def _own_file(setting: str, place: str) -> str:
    """The file that the setting names, which must be there."""
    file = expand_path(setting, place)
    try:
        refuse_special(file)
        refuse_pointer(file)
    except InputError as error:
        error.problem = f"{place} is {file}, {error.problem}"
        raise
    if not os.path.isfile(file):
        what = ": a folder" if Path(file).is_dir() else ""
        raise InputError(
            f"{place} is {file}, and there is no such file{what}",
            expected=OWN_FILE,
            action=alike_path_hint(file) or "correct it; a path is taken relative to the study's folder",
        )
    return file
