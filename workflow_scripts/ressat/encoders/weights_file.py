"""Files of weights, read into tensors by name; nothing in them is run."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from ressat.base.archive import refuse_unpacking
from ressat.base.errors import InputError, about
from ressat.base.machine import refuse_trouble

# How many entries of a refused file are named.
ENTRIES_SHOWN = 4
# Entries of checkpoints that hold a state dict, in the order in which they are looked for: of PyTorch
# Lightning and timm, of other trainings, and of DINO, whose teacher is the network to use.
WRAPPERS = ("state_dict", "model_state_dict", "model", "teacher", "network", "module")
# A safetensors file begins with the length of its header, which is JSON.
LENGTH_BYTES = 8


def read_tensors(path: str | Path, network: str) -> dict[str, torch.Tensor]:
    """Read a file of weights, whether safetensors or a pickle of torch.save, or a checkpoint around them.

    Parameters
    ----------
    path
        The file. Of a pickle, only tensors and plain values are unpickled.
    network
        What the weights should be of, for errors, such as ``"torchvision ResNet50"``.

    Raises
    ------
    InputError
        If the file cannot be read, or does not map names to tensors.
    """
    expected = f"the state dict of a {network}"
    try:
        with about(file=path):
            refuse_unpacking(path)
        if _is_safetensors(path):
            return load_file(path, device="cpu")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except OSError as error:
        with about(file=path):
            refuse_trouble(error)
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected=f"{expected}, saved as safetensors or with torch.save",
            action="correct the path in features.weights, or its permissions",
            file=path,
        ) from error
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        with about(file=path):
            refuse_trouble(error)
        raise InputError(
            f"it cannot be read as a state dict ({type(error).__name__})"
            if Path(path).stat().st_size
            else "an empty file",
            expected=f"{expected}, saved as safetensors or with torch.save",
            action="save model.state_dict() alone, or copy the file again if it was cut short",
            file=path,
        ) from error
    state = _unwrapped(content)
    if not _is_state(state):
        entries = ", ".join(map(str, list(state)[:ENTRIES_SHOWN])) if isinstance(state, dict) else ""
        raise InputError(
            f"a {type(state).__name__}{' of ' * bool(entries)}{entries} that does not map names to tensors",
            expected=expected,
            action="save model.state_dict() alone",
            file=path,
        )
    hollow = [name for name, tensor in state.items() if tensor.is_meta or tensor.layout != torch.strided]
    if hollow:
        raise InputError(
            f"{len(hollow)} tensors without numbers, or sparse ({', '.join(hollow[:ENTRIES_SHOWN])})",
            expected=f"{expected}, with all its numbers",
            action="save the state dict of the network after its weights were loaded",
            file=path,
        )
    return dict(state)


def _is_safetensors(path: str | Path) -> bool:
    """Whether a file begins as safetensors do; no pickle and no archive does."""
    with open(path, "rb") as file:
        start = file.read(LENGTH_BYTES + 1)
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    return start[LENGTH_BYTES:] == b"{" and length <= Path(path).stat().st_size - LENGTH_BYTES


def _is_state(content: object) -> bool:
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()
    )


def _unwrapped(content: object) -> object:
    """The state dict within a checkpoint, if there is one; checkpoints hold other things too."""
    inner = content
    # A file may hold itself.
    for _ in WRAPPERS:
        if not isinstance(inner, dict) or _is_state(inner):
            break
        name = next((name for name in WRAPPERS if isinstance(inner.get(name), dict)), None)
        if name is None:
            return content if inner is content else inner
        inner = inner[name]
    return inner
