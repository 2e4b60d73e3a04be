"""An encoder of the user's own: its file is run, and what it gives is held against what it says."""

import importlib.util
import sys
from pathlib import Path

import torch
from torch import nn

from ressat.base.errors import InputError, about
from ressat.base.files import sha256
from ressat.encoders.encoder import Encoder
from ressat.encoders.families.pixels import Pixels
from ressat.encoders.families.timm_import import stay_offline
from ressat.encoders.families.torchvision_import import import_torchvision
from ressat.encoders.own_encoder import CONTRACT, SUFFIX, class_name
from ressat.encoders.state_dict import state_sha256

# Its name among Python's modules, which is no other module's.
MODULE = "ressat_own_encoder"


class OwnEncoder(nn.Module):
    """The network of the user's file, whose outputs are checked.

    Parameters
    ----------
    encoder
        What its file says of it.
    network
        The network.
    dtype
        What is computed in.
    """

    def __init__(self, encoder: Encoder, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.encoder = encoder
        self.network = network.to(dtype)
        self.pixels = Pixels(encoder, dtype)
        self.eval().requires_grad_(False)

    def forward(self, rgb: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the outputs of the user's network for tiles; see `ressat.encoders.network.build_network`."""
        with about(file=self.encoder.definition):
            pixels = self.pixels(rgb)
            try:
                outputs = self.network(pixels)
            except Exception as error:
                raise _failed("forward", error) from error
            return self._checked(outputs, len(rgb))

    def _checked(self, outputs: object, tiles: int) -> dict[str, torch.Tensor]:
        """The outputs, in the order of the layers, float32."""
        widths = self.encoder.layers
        found = (
            {name: _shape(values) for name, values in outputs.items()}
            if isinstance(outputs, dict)
            else type(outputs).__name__
        )
        expected = {name: (tiles, width) for name, width in widths.items()}
        if found != expected:
            raise InputError(
                f"forward returns {found}",
                expected=f"tensors by name, of the shapes {expected}",
                action=f"correct layers or forward; {CONTRACT}",
            )
        return {name: outputs[name].float() for name in widths}


def _shape(values: object) -> tuple[int, ...] | str:
    return tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__


def _failed(where: str, error: Exception) -> InputError:
    return InputError(
        f"{where} fails: {type(error).__name__}: {error}"[:500],
        expected="an encoder that runs without a network connection",
        action=f"correct it; {CONTRACT}",
    )


def make_own(encoder: Encoder, weights: str | Path | None, seed: int) -> nn.Module:
    """Run the user's file, and make its network.

    Parameters
    ----------
    encoder
        What the file says of it.
    weights
        The weights file, which the class gets as text; None for none.
    seed
        Of what the class draws at random.

    Raises
    ------
    InputError
        If the file or its class fails, or the class is no torch.nn.Module.
    """
    file = encoder.definition
    stay_offline()
    # The user's file may import it, or timm.
    import_torchvision()
    with about(file=file), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        specification = importlib.util.spec_from_file_location(MODULE, file)
        module = importlib.util.module_from_spec(specification)
        # Where dataclasses look for the names of a class's module.
        sys.modules[MODULE] = module
        try:
            specification.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise _failed("running it", error) from error
        made = getattr(module, class_name(file))
        if not (isinstance(made, type) and issubclass(made, nn.Module)):
            raise InputError(
                f"{made!r} is no torch.nn.Module", expected="a class of modules of torch", action=CONTRACT
            )
        try:
            return made(None if weights is None else str(weights))
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            raise _failed(f"{made.__name__}(weights)", error) from error


class OwnEncoders:
    """The family of the users' own encoders."""

    def build(
        self, encoder: Encoder, weights: str | Path | None, seed: int, dtype: torch.dtype
    ) -> tuple[OwnEncoder, str, str]:
        """See `ressat.encoders.network.build_network`."""
        network = make_own(encoder, weights, seed)
        digest = state_sha256(network.state_dict()) if weights is None else sha256(weights)
        return OwnEncoder(encoder, network, dtype), f"{encoder.name}{SUFFIX}", digest


MEMBER = OwnEncoders()
