"""The encoder that a config names, before anything else of the config is checked. Standard library only."""

import os
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.lfs_pointer import refuse_pointer
from ressat.base.names import alike_path_hint
from ressat.base.path_kind import refuse_special
from ressat.encoders.choice import choose_encoder
from ressat.encoders.encoder import Encoder
from ressat.encoders.own_encoder import SUFFIX
from ressat.encoders.registry import ENCODERS
from ressat.workflow.user_paths import expand_path

# What may stand in features.encoder beside the names of the registry.
OWN_FILE = "the path of a Python file with an encoder of your own"


def named_encoder(config: dict) -> Encoder | None:
    """Return the encoder of a config.

    Parameters
    ----------
    config
        The settings, which may be anything.

    Returns
    -------
    Encoder or None
        None where ``features.encoder`` is neither a name of the registry nor a Python file's.

    Raises
    ------
    InputError
        If it is a Python file's, and there is no such file, or no encoder in it.
    """
    features = config.get("features")
    name = features.get("encoder") if isinstance(features, dict) else None
    if not isinstance(name, str):
        return None
    if name.endswith(SUFFIX):
        return choose_encoder(name, _own_file(name))
    return choose_encoder(name) if name in ENCODERS.names else None


def study_encoder(config: dict) -> Encoder:
    """Return the encoder of a config that was checked, with the pixels of ``features.mean`` and ``sd``."""
    encoder = named_encoder(config)
    if encoder is None:
        raise RuntimeError("the config was not checked")
    return encoder.with_pixels(config["features"]["mean"], config["features"]["sd"])


def _own_file(setting: str) -> str:
    """The file that the setting names, which must be there."""
    file = expand_path(setting, "features.encoder")
    try:
        refuse_special(file)
        refuse_pointer(file)
    except InputError as error:
        error.problem = f"features.encoder is {file}, {error.problem}"
        raise
    if not os.path.isfile(file):
        what = ": a folder" if Path(file).is_dir() else ""
        raise InputError(
            f"features.encoder is {file}, and there is no such file{what}",
            expected=OWN_FILE,
            action=alike_path_hint(file) or "correct it; a path is taken relative to the study's folder",
        )
    return file
