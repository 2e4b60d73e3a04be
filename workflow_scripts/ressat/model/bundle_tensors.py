"""The tensors of a saved model: their shapes against one another, their numbers, and their memory."""

from collections.abc import Mapping

import torch

from ressat.base.errors import InputError
from ressat.base.fields import Record, by_name, check_field
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
            expected="one for the spots' own features, and with a context one for those around them",
        )
    tables = {"kernel.weights": (kernel["weights"], Tensor((None, genes), torch.float64))}
    for place, block in enumerate(blocks):
        start = f"kernel.blocks[{place}]"
        tables[f"{start}.landmarks"] = block["landmarks"], Tensor((None, width), torch.float32)
        for name in ("mean", "sd"):
            check_field(block[name], Tensor((width,), torch.float64), f"{start}.{name}")
    check_field(kernel["intercept"], Tensor((genes,), torch.float64), "kernel.intercept")
    for name, (tensor, field) in tables.items():
        check_field(tensor, field, name)
    rows = {name: len(tensor) for name, (tensor, _) in tables.items()}
    if len(set(rows.values())) > 1 or not 1 <= len(kernel["weights"]) <= MOST_LANDMARKS:
        raise InputError(
            "; ".join(f"{name} has {number} rows" for name, number in rows.items()),
            expected=f"as many in each, 1 to {MOST_LANDMARKS} landmarks",
        )


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
