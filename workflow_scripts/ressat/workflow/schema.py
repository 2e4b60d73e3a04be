"""The JSON schemas of config and sheet; the names of allowed members come from the registries."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from ressat.encoders.encoder import RANDOM, Encoder
from ressat.encoders.layer_names import joint_name
from ressat.encoders.registry import ENCODERS
from ressat.stain.methods.registry import METHODS
from ressat.workflow.encoder_setting import OWN_FILE, EncoderEntry, encoder_entries
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.settings import allow, load_schema, one_of


def config_schema(folder: str | Path, config: dict) -> dict:
    """Return the schema of the config.

    Parameters
    ----------
    folder
        Folder of the schemas.
    config
        The settings; the schema lists the layers of the encoders that they name.

    Raises
    ------
    InputError
        If they name a file with an encoder of the user's own, and there is none in it.
    """
    schema = load_schema(Path(folder) / "config.schema.json")
    allow(schema, "stain.method", METHODS.names)
    allow(schema, "evaluation.scheme", SCHEMES.names)
    features = schema["properties"]["features"]["properties"]
    several = features["encoders"]
    _describe_encoder(features["encoder"])
    _describe_encoder(several["items"]["properties"]["encoder"])
    entries = encoder_entries(config)
    if not entries or entries[0].place == "features":
        _fit_entry(features, entries[0] if entries else EncoderEntry("features", {}, None))
    else:
        # Each entry has a schema of its own.
        several["prefixItems"] = [deepcopy(several["items"]) for _ in entries]
        for own, entry in zip(several["prefixItems"], entries, strict=True):
            _fit_entry(own["properties"], entry)
            if entry.needs_weights:
                own["required"] = [*own["required"], "weights"]
    layers = _layers(entries)
    if layers:
        description = f"a list of {one_of([*layers, 'both'] if len(layers) == 2 else layers)}, or null"
        schema["$defs"]["layers"] |= {"description": description}
        schema["$defs"]["layers"]["items"] = {"enum": layers}
    return schema


def _describe_encoder(setting: dict) -> None:
    setting["description"] = one_of([*ENCODERS.names, OWN_FILE])


def _fit_entry(properties: dict, entry: EncoderEntry) -> None:
    """Restrict the settings of an encoder to what it may have."""
    if entry.encoder is None or not entry.encoder.definition:
        properties["encoder"]["enum"] = list(ENCODERS.names)
    if entry.encoder is not None:
        properties["weights"] |= _weights(entry.encoder)


def _layers(entries: Sequence[EncoderEntry]) -> list[str]:
    """What models may read: of a list of encoders ``encoder.layer``, and of the first plain names too."""
    if not entries or any(entry.encoder is None for entry in entries):
        return []
    first = list(entries[0].encoder.layers)
    if entries[0].place == "features":
        return first
    return first + [
        joint_name(str(entry.settings.get("name", entry.encoder.name)), layer)
        for entry in entries
        for layer in entry.encoder.layers
    ]


def _weights(encoder: Encoder) -> dict:
    """What ``features.weights`` may be."""
    if encoder.definition:
        # Whether a network of the user's own is untrained, only the user knows.
        words = f"the path of the weights of {encoder.title}, or null if it needs none"
        return {"type": ["string", "null"], "not": {"const": RANDOM}, "description": words}
    own = "the path of a state dict" if encoder.published else f"the path of its weights, from {encoder.page}"
    return {"description": one_of([*encoder.published, RANDOM, own])}


def sheet_schema(folder: str | Path) -> dict:
    """Return the schema of a row of the sheet."""
    return load_schema(Path(folder) / "samples.schema.json")
