"""An encoder of the user's own is run, and its outputs are held against what its file says."""

import pytest
import torch
from own_encoders import OWN

from ressat.base.errors import InputError
from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import build_network, weights_sha256


@pytest.fixture
def write(tmp_path):
    def write(text: str = OWN):
        (tmp_path / "shades.py").write_text(text)
        return choose_encoder("shades", str(tmp_path / "shades.py"))

    return write


@pytest.fixture(scope="module")
def tiles() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 16, 16), generator=torch.Generator().manual_seed(0)).float()


def test_its_outputs_are_those_of_its_class(write, tiles, tmp_path):
    weights = {"linear.weight": torch.ones(6, 12), "linear.bias": torch.zeros(6)}
    torch.save(weights, tmp_path / "weights.pth")
    network, name, _ = build_network(write(), tmp_path / "weights.pth", 0)
    with torch.inference_mode():
        outputs = network(tiles)
    grid = (tiles / 255 - 0.5) / 0.5
    grid = grid.view(3, 3, 2, 8, 2, 8).mean(dim=(3, 5)).flatten(1)
    assert name == "shades.py"
    assert list(outputs) == ["shades", "grid"]
    torch.testing.assert_close(outputs["grid"], grid)
    torch.testing.assert_close(outputs["shades"], grid.sum(dim=1, keepdim=True).expand(3, 6))
    assert not network.training


def test_code_and_weights_are_both_what_its_features_are_of(write, tmp_path):
    for file, value in (("a.pth", 1.0), ("b.pth", 2.0)):
        state = {"linear.weight": torch.full((6, 12), value), "linear.bias": torch.zeros(6)}
        torch.save(state, tmp_path / file)
    first, second = tmp_path / "a.pth", tmp_path / "b.pth"
    encoder = write()
    digests = {build_network(encoder, path, 0)[2] for path in (first, second)}
    assert weights_sha256(encoder, first, 0) in digests
    digests |= {build_network(write(OWN + "# changed\n"), first, 0)[2]}
    assert len(digests) == 3


def test_without_weights_what_it_draws_follows_the_seed(write):
    state = torch.get_rng_state()
    digest = build_network(write(), None, 1)[2]
    assert torch.equal(torch.get_rng_state(), state)
    assert weights_sha256(write(), None, 1) == digest
    assert weights_sha256(write(), None, 2) != digest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import torch\n", "import torch, nowhere_to_be_found\n", "running it fails: ModuleNotFoundError: "),
        ("super().__init__()", "raise KeyError('w')", "Shades(weights) fails: KeyError: 'w'; expected"),
        ("torch.nn.Module):", "object):", "Shades'> is no torch.nn.Module; expected a class of"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_run_is_refused(write, old, new, said):
    with pytest.raises(InputError) as caught:
        build_network(write(OWN.replace(old, new, 1)), None, 0)
    assert said in str(caught.value)
    assert "shades.py: " in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"grid": grid}', '"mesh": grid}', "forward returns {'shades': (3, 6), 'mesh': (3, 12)}; expected"),
        ('"grid": grid}', '"grid": grid[:2]}', "'grid': (2, 12)}; expected tensors by name, of the shapes"),
        ('"grid": grid}', '"grid": None}', "'grid': 'NoneType'}"),
        ('return {"shades"', "return grid, {1", "forward returns tuple; expected"),
        ("grid = torch", "grid = tiles.nothing", "forward fails: AttributeError: 'Tensor' object has"),
    ],
)  # fmt: skip
def test_outputs_that_are_not_as_the_file_says_are_refused(write, tiles, old, new, said):
    network = build_network(write(OWN.replace(old, new, 1)), None, 0)[0]
    with pytest.raises(InputError) as caught:
        network(tiles)
    assert said in str(caught.value)
    assert "shades.py: " in str(caught.value)


def test_a_network_in_bf16_that_keeps_more_than_tensors_has_a_digest(write):
    state = "    def get_extra_state(self):\n        return {'shades': 6}\n\n"
    more = OWN.replace("    def forward", f"        self.bfloat16()\n\n{state}    def forward")
    assert len(build_network(write(more), None, 1)[2]) == 64


def test_a_file_that_ends_python_is_refused(write):
    with pytest.raises(InputError, match="running it fails: SystemExit"):
        build_network(write(OWN + "\nimport sys\n\nsys.exit(0)\n"), None, 1)


def test_a_file_may_have_dataclasses_whose_annotations_are_text(write):
    more = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + OWN
    more += "\n\n@dataclass\nclass Size:\n    px: int = 16\n"
    assert build_network(write(more), None, 1)[1] == "shades.py"
