"""Files of weights: read, and refused where they are not those of the network."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from ressat.base.archive import refuse_unpacking
from ressat.base.errors import InputError, about
from ressat.base.machine import refuse_trouble

# How many differences of a refused weights file are named, or of its entries.
DIFFERENCES_SHOWN = 4


def read_state_dict(
    path: str | Path, expected: Mapping[str, torch.Tensor], network: str, unused: str
) -> dict[str, torch.Tensor]:
    """Read a network's state dict, and refuse that of another network.

    Parameters
    ----------
    path
        A file written by ``torch.save``; only tensors are unpickled. Half precision is widened.
    expected
        The network's own state dict; on the meta device, since only names, shapes and dtypes are compared.
    network
        What it is called in errors, such as ``"torchvision ResNet50"``.
    unused
        Entries whose names start so are dropped; the file need not have them.

    Raises
    ------
    InputError
        If the file is no state dict, or its names, shapes or kinds of number are not those of the network;
        the first differences are named. Or if a number is not finite, or a variance negative.
    """
    try:
        with about(file=path):
            refuse_unpacking(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except OSError as error:
        with about(file=path):
            refuse_trouble(error)
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected=f"the state dict of a {network}, saved with torch.save",
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
            expected=f"the state dict of a {network}, saved with torch.save",
            action="save model.state_dict() alone, or copy the file again if it was cut short",
            file=path,
        ) from error
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        entries = ", ".join(map(str, list(state)[:DIFFERENCES_SHOWN])) if isinstance(state, dict) else ""
        raise InputError(
            f"a {type(state).__name__}{' of ' * bool(entries)}{entries} that does not map names to tensors",
            expected=f"the state dict of a {network}",
            action="save model.state_dict() alone",
            file=path,
        )
    state = {name: tensor for name, tensor in state.items() if not name.startswith(unused)}
    differences = []
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, torch.zeros((), dtype=torch.long))
        if name not in state:
            differences.append(f"{name} is missing")
        elif state[name].shape != tensor.shape:
            differences.append(f"{name} is {tuple(state[name].shape)}, not {tuple(tensor.shape)}")
        elif tensor.is_floating_point() and not state[name].is_floating_point():
            differences.append(f"{name} is {state[name].dtype}, not {tensor.dtype}")
    differences += [f"{name} is unknown" for name in state if name not in expected]
    if differences:
        first = ", ".join(differences[:DIFFERENCES_SHOWN])
        raise InputError(
            f"differences from a {network}, {len(differences)} in all: {first}",
            expected="its names and shapes, as floating-point numbers",
            action="convert the weights, or name the right file in features.weights",
            file=path,
        )
    _refuse_odd_numbers({name: state[name] for name in expected}, path)
    return {name: state[name].to(tensor.dtype) for name, tensor in expected.items()}


def _refuse_odd_numbers(state: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Refuse weights from which every feature would be nan."""
    for name, tensor in state.items():
        # Summed in double precision, in which sums of weights cannot overflow.
        if tensor.is_floating_point() and not tensor.sum(dtype=torch.float64).isfinite():
            number = int((~tensor.isfinite()).sum())
            problem = f"{name} has {number} numbers of {tensor.numel()} that are not finite"
        elif name.endswith("running_var") and (tensor < 0).any():
            problem = f"{name} has a negative variance ({float(tensor.min()):g})"
        else:
            continue
        raise InputError(
            problem,
            expected="finite weights, and variances of 0 or more",
            action="save or download the weights again, from a training that did not diverge",
            file=path,
        )


def state_sha256(state_dict: dict[str, torch.Tensor]) -> str:
    """Return a SHA-256 over names and values of a state dict."""
    digest = hashlib.sha256()
    for name, tensor in state_dict.items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
