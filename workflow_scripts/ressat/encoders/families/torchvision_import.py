"""`import torchvision`, also where its compiled operators cannot be loaded.

PyPI's Linux wheel of torchvision is linked against CUDA. Beside a CPU build of torch its library does
not load, and the import stops at "operator torchvision::nms does not exist", because two shape rules are
registered for operators that only that library defines. Declaring the operators' schemas is enough for
everything in pure Python, the models among it; `io.decode_*` and `ops.nms` stay unavailable.
Where torchvision is whole (conda-forge, a CUDA machine) nothing is changed.
"""

import importlib
import sys
from types import ModuleType

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# A library that is collected takes its schemas with it.
_declared: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """Return the module torchvision.

    Raises
    ------
    RuntimeError
        If torchvision cannot be imported for any other reason.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error) or _declared:
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    _declared.append(library)
    return importlib.import_module("torchvision")
