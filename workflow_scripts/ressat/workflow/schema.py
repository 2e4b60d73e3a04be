"""The JSON schemas of config and sheet; the names of allowed members come from the registries."""

from pathlib import Path

from ressat.encoders.encoder import RANDOM, Encoder
from ressat.encoders.registry import ENCODERS
from ressat.stain.methods.registry import METHODS
from ressat.workflow.encoder_setting import OWN_FILE, named_encoder
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.settings import allow, load_schema, one_of


def config_schema(folder: str | Path, config: dict) -> dict:
    """Return the schema of the config.

    Parameters
    ----------
    folder
        Folder of the schemas.
    config
        The settings; the schema lists the layers of the encoder that they name.

    Raises
    ------
    InputError
        If they name a file with an encoder of the user's own, and there is none in it.
    """
    schema = load_schema(Path(folder) / "config.schema.json")
    allow(schema, "stain.method", METHODS.names)
    allow(schema, "evaluation.scheme", SCHEMES.names)
    encoder = named_encoder(config)
    if encoder is None or not encoder.definition:
        allow(schema, "features.encoder", ENCODERS.names)
    features = schema["properties"]["features"]["properties"]
    features["encoder"]["description"] = one_of([*ENCODERS.names, OWN_FILE])
    if encoder is not None:
        layers = list(encoder.layers)
        description = f"a list of {one_of([*layers, 'both'] if len(layers) == 2 else layers)}, or null"
        schema["$defs"]["layers"] |= {"description": description}
        schema["$defs"]["layers"]["items"] = {"enum": layers}
        features["weights"] |= _weights(encoder)
    return schema


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


def with_encoder_layers(config: dict) -> dict:
    """Return settings with the layers that the head reads: the encoder's default where they are null."""
    encoder = named_encoder(config)
    default = list(encoder.default_layers) if encoder else []

    def with_layers(model: dict) -> dict:
        return model | {"layers": model["layers"] or default} if "layers" in model else model

    candidates = [with_layers(one) for one in config["model"]["candidates"]]
    return config | {"model": with_layers(config["model"]) | {"candidates": candidates}}
