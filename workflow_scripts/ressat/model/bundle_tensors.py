"""The tensors of a saved model: their shapes against one another, their numbers, and their memory."""

from collections.abc import Mapping

import torch

from ressat.base.errors import InputError
from ressat.base.fields import Record, by_name, check_field, shown
from ressat.model.kernel import MOST_LANDMARKS
from ressat.model.scaler import SMALLEST_SD
from ressat.model.tensor_field import Tensor

# Of weights, means and deviations: features end at 65,504, and larger weights have left all sense.
LARGEST = 1e6


def tensors_of(content: Mapping) -> dict[str, torch.Tensor]:
    """Return all tensors of a saved model's content, by the names that messages call them."""
    groups = {"head": content["head"]}
    groups |= {f"scalers.{of}": parts for of, parts in content["scalers"].items()}
    kernel = content["kernel"]
    if kernel is not None:
        groups["kernel"] = {name: kernel[name] for name in ("weights", "intercept")}
        for place, block in enumerate(kernel["blocks"]):
            groups[f"kernel.blocks[{place}]"] = {name: block[name] for name in ("mean", "sd", "landmarks")}
    return {f"{group}.{name}": tensor for group, parts in groups.items() for name, tensor in parts.items()}


def check_tensors(content: Mapping, width: int, genes: int) -> None:
    """Refuse tensors of other names or shapes, numbers that are not finite, and deviations of 0.

    Parameters
    ----------
    content
        Content of which all but the tensors has been checked.
    width
        Columns of the features that the model reads.
    genes
        How many genes it predicts.
    """
    columns = {"features": width, "targets": genes}
    scaler = {
        name: by_name(("mean", "sd"), Tensor((length,), torch.float64)) for name, length in columns.items()
    }
    check_field(content["scalers"], Record(scaler), "scalers")
    settings, head = content["settings"], content["head"]
    shapes = {}
    for member in range(settings["members"]):
        # See `ressat.model.network.Head`: the linear layers among dropout and activation.
        layers = {1: (settings["hidden"], width), 4: (genes, settings["hidden"])}
        for place, shape in (layers if settings["hidden"] else {1: (genes, width)}).items():
            shapes[f"members.{member}.{place}.weight"] = Tensor(shape, torch.float32)
            shapes[f"members.{member}.{place}.bias"] = Tensor(shape[:1], torch.float32)
    # The state dict's own class is a kind of dict.
    check_field(dict(head) if isinstance(head, dict) else head, Record(shapes), "head")
    _check_kernel(content, width, genes)
    tensors = tensors_of(content)
    for name, tensor in tensors.items():
        # Not `>`, which nan would pass.
        odd = tensor[~(tensor.abs() <= LARGEST)]
        if len(odd):
            raise InputError(
                f"{name} has {len(odd)} numbers such as {odd[0]:g}",
                expected=f"finite numbers of at most {LARGEST:g}",
            )
    for name, tensor in tensors.items():
        if name.endswith(".sd") and float(tensor.min()) < SMALLEST_SD:
            raise InputError(
                f"{name} has a standard deviation of {float(tensor.min()):g}", expected="positive ones"
            )


def _check_kernel(content: Mapping, width: int, genes: int) -> None:
    kernel = content["kernel"]
    if kernel is None:
        return
    blocks, context = kernel["blocks"], content["inputs"]["context_um"]
    if len(blocks) != (2 if context else 1):
        raise InputError(
            f"kernel.blocks has {len(blocks)} entries, and inputs.context_um is {context:g}",
            expected="one for the spots' own features, and one for those around them where there is a context",
        )
    weights = kernel["weights"]
    landmarks = len(weights) if type(weights) is torch.Tensor and weights.dim() == 2 else 1
    if not 1 <= landmarks <= MOST_LANDMARKS:
        raise InputError(
            f"kernel.weights has {shown(landmarks)} rows", expected=f"1 to {MOST_LANDMARKS} landmarks"
        )
    check_field(weights, Tensor((landmarks, genes), torch.float64), "kernel.weights")
    check_field(kernel["intercept"], Tensor((genes,), torch.float64), "kernel.intercept")
    for place, block in enumerate(blocks):
        shapes = {name: Tensor((width,), torch.float64) for name in ("mean", "sd")}
        shapes["landmarks"] = Tensor((landmarks, width), torch.float32)
        for name, field in shapes.items():
            check_field(block[name], field, f"kernel.blocks[{place}].{name}")


def check_memory(content: Mapping, sizes: list[int]) -> None:
    """Refuse tensors that do not take up the file's records exactly, each one.

    Parameters
    ----------
    content
        Checked content.
    sizes
        Bytes of the records, see `ressat.base.archive.record_sizes`.
    """
    tensors = tensors_of(content).values()
    if sorted(tensor.untyped_storage().nbytes() for tensor in tensors) != sorted(sizes):
        raise InputError(
            f"its {len(tensors)} tensors do not match the {len(sizes)} records of the file",
            expected="one record for each, of its size",
        )
