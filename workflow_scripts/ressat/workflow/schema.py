"""The JSON schemas of config and sheet; the names of allowed members come from the registries."""

from pathlib import Path

from ressat.encoders.encoder import RANDOM
from ressat.encoders.registry import ENCODERS
from ressat.stain.methods.registry import METHODS
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
    """
    schema = load_schema(Path(folder) / "config.schema.json")
    allow(schema, "stain.method", METHODS.names)
    allow(schema, "features.encoder", ENCODERS.names)
    allow(schema, "evaluation.scheme", SCHEMES.names)
    features = config.get("features")
    name = features.get("encoder") if isinstance(features, dict) else None
    if name in ENCODERS.names:
        encoder = ENCODERS.load(name)
        layers, weights = (
            list(encoder.layers),
            one_of([*encoder.published, RANDOM, "the path of a state dict"]),
        )
        description = f"a list of {one_of([*layers, 'both'] if len(layers) == 2 else layers)}, or null"
        schema["$defs"]["layers"] |= {"description": description}
        schema["$defs"]["layers"]["items"] = {"enum": layers}
        schema["properties"]["features"]["properties"]["weights"]["description"] = weights
    return schema


def sheet_schema(folder: str | Path) -> dict:
    """Return the schema of a row of the sheet."""
    return load_schema(Path(folder) / "samples.schema.json")


def with_encoder_layers(config: dict) -> dict:
    """Return settings with the layers that the head reads: the encoder's default where they are null."""
    default = list(ENCODERS.load(config["features"]["encoder"]).default_layers)

    def with_layers(model: dict) -> dict:
        return model | {"layers": model["layers"] or default} if "layers" in model else model

    candidates = [with_layers(one) for one in config["model"]["candidates"]]
    return config | {"model": with_layers(config["model"]) | {"candidates": candidates}}
