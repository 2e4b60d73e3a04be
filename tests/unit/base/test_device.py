from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ressat.base import device
from ressat.base.device import choose_device


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_asked_for_is_taken(precision):
    assert choose_device(precision).precision == precision


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU decides for itself")
@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu avx2 avx512f", "fp32"),
        ("fpu avx512_bf16 avx2", "bf16"),
        ("amx_bf16", "bf16"),
        ("avx512_bf16x", "fp32"),
    ],
)
def test_auto_is_bf16_only_where_the_processor_computes_in_it(monkeypatch, tmp_path, flags, precision):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(device, "Path", lambda path: cpuinfo if path == "/proc/cpuinfo" else Path(path))
    assert choose_device("auto").precision == precision
    # Of an encoder of which it is not known to be safe.
    assert choose_device("auto", "fp32").precision == "fp32"
    assert choose_device("bf16", "fp32").precision == "bf16"


def test_a_batch_size_asked_for_is_taken_and_auto_is_larger_on_a_gpu():
    cpu, gpu = device.Device("cpu", "fp32"), device.Device("cuda", "bf16")
    assert cpu.batch_size(7) == gpu.batch_size(7) == 7
    assert cpu.batch_size("auto") < gpu.batch_size("auto")


@pytest.mark.parametrize(
    ("free_gb", "precision", "parameters", "activations", "size"),
    [
        # A ViT-g/14 of 261 tokens, of the largest encoders.
        (7.6, "bf16", 1_135_000_000, 5_612_544, 128),
        (7.6, "fp32", 1_135_000_000, 5_612_544, 32),
        (15.0, "fp32", 1_135_000_000, 5_612_544, 128),
        (4.5, "bf16", 1_135_000_000, 5_612_544, 16),
        # A GPU that is too small, or that others use: as few as can be.
        (1.0, "bf16", 1_135_000_000, 5_612_544, 1),
        # ResNet50, and encoders of one's own.
        (1.0, "fp32", 23_508_032, 0, 128),
    ],
)
def test_on_a_gpu_auto_is_what_fits_into_its_free_memory(
    monkeypatch, free_gb, precision, parameters, activations, size
):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (int(free_gb * 1e9), 80 * 10**9))
    gpu = device.Device("cuda", precision)
    assert gpu.batch_size("auto", parameters, activations) == size
    assert gpu.batch_size(256, parameters, activations) == 256
    assert device.Device("cpu", precision).batch_size("auto", parameters, activations) == 16


def test_the_precision_is_what_the_network_computes_in():
    assert device.Device("cpu", "bf16").dtype == torch.bfloat16
    assert device.Device("cpu", "fp32").dtype == torch.float32


def test_a_process_computes_on_the_gpu_that_it_claimed(monkeypatch):
    current = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"GPU-{index}")
    )
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(device, "claim_gpu", {("GPU-0", "GPU-1"): 1}.__getitem__)
    assert device.processor() == "cuda"
    assert current == [1]
