"""Which processor runs the network, and in which precision."""

import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from ressat.base.gpu import claim_gpu

# Processor flags of native bfloat16 arithmetic. Without them it is emulated, many times slower.
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}

# Tiles per forward pass: on a CPU more would only take memory, while a GPU needs dozens to be busy.
BATCH_SIZES = {"cpu": 16, "cuda": 128}

# Bytes of a GPU's memory that are left for its libraries, and for tiles before the network reads them.
RESERVE = 2_000_000_000


@dataclass(frozen=True)
class Device:
    """A torch device and the precision to run on it.

    Attributes
    ----------
    name
        ``cuda`` or ``cpu``.
    precision
        ``bf16`` or ``fp32``.
    """

    name: str
    precision: str

    def batch_size(self, setting: int | str, parameters: int = 0, activations: int = 0) -> int:
        """Resolve ``batch_size: auto``.

        Parameters
        ----------
        setting
            ``auto``, or a number, which stays as it is. On a GPU, ``auto`` is the largest power of two up to
            128 with which network and activations fit into the memory that is free.
        parameters
            How many numbers the network has.
        activations
            How many numbers it holds at most for a tile; 0 if unknown, which is taken to fit.
        """
        if setting != "auto":
            return setting
        size = BATCH_SIZES[self.name]
        if self.name == "cuda" and activations:
            free, _ = torch.cuda.mem_get_info()
            numbers = (free - RESERVE) / self.dtype.itemsize - parameters
            while size > 1 and size * activations > numbers:
                size //= 2
        return size

    @property
    def dtype(self) -> torch.dtype:
        """Data type of the network's weights and activations."""
        return torch.bfloat16 if self.precision == "bf16" else torch.float32


def processor() -> str:
    """Return ``cpu``, or ``cuda`` after claiming a GPU for this process alone and making it current.

    Waits while other jobs of this user hold all GPUs of the machine.
    """
    if not torch.cuda.is_available():
        return "cpu"
    gpus = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    torch.cuda.set_device(claim_gpu(tuple(str(gpu.uuid) for gpu in gpus)))
    return "cuda"


def choose_device(precision: str, coarsest: str = "bf16") -> Device:
    """Take a GPU where there is one, and resolve ``precision: auto``.

    Parameters
    ----------
    precision
        ``auto`` (bf16 where the hardware computes in it, else fp32), ``bf16`` or ``fp32``.
    coarsest
        The coarsest that ``auto`` may choose.
    """
    name = processor()
    if precision == "auto":
        native = (
            torch.cuda.is_bf16_supported(including_emulation=False) if name == "cuda" else _cpu_has_bf16()
        )
        precision = "bf16" if native and coarsest == "bf16" else "fp32"
    return Device(name, precision)


def _cpu_has_bf16() -> bool:
    information = Path("/proc/cpuinfo")
    if platform.system() != "Linux" or not information.exists():
        return False
    for line in information.read_text().splitlines():
        if line.lower().startswith(("flags", "features")):
            return bool(BF16_FLAGS & set(line.split()))
    return False
