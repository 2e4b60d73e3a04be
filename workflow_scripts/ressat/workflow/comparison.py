"""Which models read which encoders: the study's, and those that are trained to compare encoders."""

from collections.abc import Mapping

from ressat.encoders.layer_names import joint_name, parted_name
from ressat.workflow.folds import FOLD_BUNDLE
from ressat.workflow.model_settings import ModelSettings
from ressat.workflow.study import Study


def compared_encoders(study: Study) -> list[str]:
    """Return the names of the encoders that are compared: all, if several, and sections are scored."""
    return list(study.encoders) if len(study.encoders) > 1 and study.tested else []


def has_own_model(study: Study, encoder: str) -> bool:
    """Tell whether an encoder has a model of its own for the comparison; else the study's model is that."""
    return study.encoders_read != [encoder]


def results_of(study: Study, encoder: str) -> str:
    """Return the folder of the results of an encoder's model."""
    return f"results/encoders/{encoder}" if has_own_model(study, encoder) else "results"


def model_settings_of(study: Study, encoder: str | None) -> ModelSettings:
    """Return the settings of the study's model; or an encoder's own: the same, as far as it has the layers.

    It reads those of the layers of ``model.layers`` that are its own, or its default ones if none is.
    Candidates with layers of other encoders alone are left out.

    Parameters
    ----------
    study
        The study.
    encoder
        Its name; None for the study's model.
    """
    if encoder is None:
        return study.model_settings
    model, first = study.config["model"], study.first_encoder.name

    def own_layers(settings: Mapping) -> list[str]:
        parts = map(parted_name, settings["layers"])
        return [layer for owner, layer in parts if (owner or first) == encoder]

    default = list(study.encoders[encoder].description.default_layers)
    own = model | {"layers": own_layers(model) or default}
    candidates: list[dict] = []
    for one in model["candidates"]:
        layers = own_layers(one) if "layers" in one else own["layers"]
        changes = one | {"layers": layers}
        # Those that differ in the layers of other encoders alone are one and the same here.
        if layers and all(own | changes != own | other for other in ({}, *candidates)):
            candidates.append(changes)
    return ModelSettings(own | {"candidates": candidates}, study.config["seed"])


def first_layers_read(study: Study) -> list[str]:
    """Return the layers of the first encoder that models read; none with a saved model, which names them."""
    if FOLD_BUNDLE in study.folds:
        return []
    first = study.first_encoder.name
    names = {name for one in study.model_settings.candidates for name in one["layers"]}
    return sorted(layer for encoder, layer in map(parted_name, names) if (encoder or first) == first)


def hest_layers_of(study: Study, encoder: str | None) -> list[str]:
    """Return the layers that HEST-Bench's ridge reads: an encoder's, or those of the first one."""
    read = [encoder] if encoder else study.encoders_read
    layers = study.encoders[read[0]].description.hest_layers
    return list(layers) if len(read) == 1 else [joint_name(read[0], layer) for layer in layers]
