"""`import timm`, also where torchvision, which it imports, is not whole, and never with a network."""

import importlib
import os
from types import ModuleType

from ressat.encoders.families.torchvision_import import import_torchvision


def stay_offline() -> None:
    """Let libraries that would download from a model hub fail at once: jobs use files that are there.

    Has to be called before these libraries are imported.
    """
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"


def import_timm() -> ModuleType:
    """Return the module timm."""
    stay_offline()
    import_torchvision()
    return importlib.import_module("timm")
