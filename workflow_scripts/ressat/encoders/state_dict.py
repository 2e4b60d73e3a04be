"""Weights held against the network that they should be of, and refused where they are not its own."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from ressat.base.errors import InputError
from ressat.encoders.weights_file import read_tensors

logger = logging.getLogger("ressat")

# How many differences of a refused weights file are named.
DIFFERENCES_SHOWN = 4
# How many words may stand before the names of a network, and be taken off.
MOST_PARTS = 5
# Counters of batch normalisation, which older files do not have.
COUNTER = "num_batches_tracked"

State = dict[str, torch.Tensor]
# Turns a state dict of other software into one with the names of the network.
Rename = Callable[[State, Mapping[str, torch.Tensor]], State]


def read_state_dict(
    path: str | Path,
    expected: Mapping[str, torch.Tensor],
    network: str,
    unused: tuple[str, ...],
    rename: Rename = lambda state, expected: state,
) -> State:
    """Read a network's state dict, and refuse that of another network.

    A training may have put something before all names (``module.``, ``backbone.``, ``model.encoder.``): of
    such a file, the one part that has all of the network's names is taken.

    Parameters
    ----------
    path
        A file of safetensors or of ``torch.save``; only tensors are unpickled. Half precision is widened.
    expected
        The network's own state dict; on the meta device, since only names, shapes and dtypes are compared.
    network
        What it is called in errors, such as ``"torchvision ResNet50"``.
    unused
        Entries whose names start so are dropped; the file need not have them.
    rename
        Gives weights saved by other software the network's names.

    Raises
    ------
    InputError
        If the file is no state dict, or its names, shapes or kinds of number are not those of the network;
        the first differences are named. Or if a number is not finite, or a variance negative.
    """
    state = _part_of(read_tensors(path, network), expected, network, rename, path)
    state = {name: tensor for name, tensor in state.items() if not name.startswith(unused)}
    differences = []
    for name, tensor in expected.items():
        if name.endswith(COUNTER):
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


def _part_of(
    state: State, expected: Mapping[str, torch.Tensor], network: str, rename: Rename, path: str | Path
) -> State:
    """The part of a file that is the network, by its own names."""
    needed = [name for name in expected if not name.endswith(COUNTER)]
    parts = {prefix: rename(_below(prefix, state), expected) for prefix in _prefixes(state, len(needed))}
    if all(name in parts[""] for name in needed):
        return parts[""]
    whole = [prefix for prefix, part in parts.items() if all(name in part for name in needed)]
    if len(whole) > 1:
        raise InputError(
            f"{len(whole)} networks, below {', '.join(whole[:DIFFERENCES_SHOWN])}",
            expected=f"the state dict of one {network}",
            action="save that of one of them alone",
            file=path,
        )
    # If none is the network, the one that is most like it tells best what is different.
    prefix = max(parts, key=lambda prefix: (prefix in whole, sum(name in parts[prefix] for name in needed)))
    if whole:
        left = sum(not name.startswith(prefix) for name in state)
        logger.info("%s: the network is below %s; %d other entries are not read", path, prefix, left)
    return parts[prefix]


def _below(prefix: str, state: State) -> State:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _prefixes(state: State, least: int) -> list[str]:
    """What so many names begin with, up to a full stop; nothing first."""
    counts = {"": least}
    for name in state:
        *parts, _ = name.split(".", MOST_PARTS)
        for number in range(1, len(parts) + 1):
            prefix = ".".join([*parts[:number], ""])
            counts[prefix] = counts.get(prefix, 0) + 1
    return [prefix for prefix, count in counts.items() if count >= least]


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


def state_sha256(state_dict: State) -> str:
    """Return a SHA-256 over names and values of a state dict."""
    digest = hashlib.sha256()
    for name, tensor in state_dict.items():
        digest.update(name.encode())
        if not isinstance(tensor, torch.Tensor):
            # What a module keeps beside its tensors.
            digest.update(repr(tensor).encode())
            continue
        values = tensor.detach().cpu().contiguous()
        if values.dtype == torch.bfloat16:
            # Which numpy does not have.
            values = values.view(torch.int16)
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()
