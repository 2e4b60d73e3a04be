"""What a file says of the encoder in it is read without running it."""

from pathlib import Path

import pytest
from own_encoders import OWN

from ressat.base.errors import InputError
from ressat.encoders.choice import choose_encoder
from ressat.encoders.own_encoder import read_own_encoder
from ressat.encoders.registry import ENCODERS


@pytest.fixture
def write(tmp_path):
    def write(text: str = OWN, name: str = "shades.py") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_file_says_what_its_encoder_is(write):
    file = write()
    encoder = read_own_encoder(file)
    assert (encoder.name, encoder.title, encoder.family, encoder.definition) == (
        *("shades", "Shades", "own", str(file)),
    )
    assert encoder.layers == {"shades": 6, "grid": 12}
    assert encoder.default_layers == encoder.hest_layers == ("grid",)
    assert (encoder.mean, encoder.sd) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert (encoder.px, encoder.tile_um, encoder.precision) == (16, 100, "fp32")
    assert (encoder.citation, encoder.licence, encoder.page) == ("Doe. Shades. 2026.", "MIT", "not stated")
    assert choose_encoder("shades", str(file)) == encoder
    assert choose_encoder("uni") is ENCODERS.load("uni")


def test_little_needs_to_be_said(write):
    encoder = read_own_encoder(write("class A:\n    layers: dict = {'x': 3}\n    mean = sd = (.5, .5, .5)\n"))
    assert encoder.default_layers == ("x",)
    assert encoder.title == "shades.py"
    assert encoder.px is None
    assert "shades.py, an encoder of the study's own" in encoder.words


def test_the_file_is_not_run(write):
    assert read_own_encoder(write("raise SystemExit\n" + OWN)).name == "shades"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("layers = {", "widths = {", "0 classes with the constant layers; expected one class with layers"),
        ("    mean = (0.5, 0.5, 0.5)\n", "", "its class has no constant mean; expected three num"),
        ("    sd = (0.5, 0.5, 0.5)\n", "    sd = (0.5, 0.5, 0)\n", "sd = (0.5, 0.5, 0); expected three"),
        ("    sd = (0.5, 0.5, 0.5)\n", "    sd = (0.5, True, 1)\n", "sd = (0.5, True, 1); expected three"),
        ("mean = (0.5,", "mean = (torch.pi,", "mean is computed ((torch.pi, 0.5, 0.5)); expected three"),
        ('"grid": 12}', '"grid": 0}', "layers = {'shades': 6, 'grid': 0}; expected widths by name"),
        ('{"shades": 6,', '{"colour": 6,', "layers = {'colour': 6, 'grid': 12}; expected widths by name"),
        ('{"shades": 6,', '{"a/b": 6,', "layers = {'a/b': 6, 'grid': 12}; expected widths by name"),
        ('("grid",)', '("mesh",)', "reads the layer mesh, which is none of its layers; expected shades,"),
        ('("grid",)', '"grid"', "default_layers = grid; expected a tuple of names of its layers"),
        ("px = 16", "px = 2", "px = 2; expected a whole number of pixels from 8 to 4096"),
        ("px = 16", "precision = 'fp16'", "precision = fp16; expected 'bf16' or 'fp32'"),
        ("tile_um = 100", "tile_um = '100'", "tile_um = 100; expected um, 1 to 100000, or None"),
        ("import torch\n", "import torch(\n", "it is no Python in line"),
        ("import torch\n", "class B:\n    layers = {}\n", "2 classes with the constant layers (B, Shades)"),
    ],
)  # fmt: skip
def test_what_a_file_must_say_and_does_not(write, old, new, said):
    assert old in OWN
    file = write(OWN.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_own_encoder(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert said in message
    assert message.count("; ") >= 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("uni.py", "an encoder of one's own with the name of another, uni"),
        ("my-encoder.py", "an encoder named my-encoder; expected a file whose name has only letters"),
        ("2nd.py", "an encoder named 2nd"),
    ],
)
def test_a_name_that_would_be_mistaken_is_refused(write, name, said):
    with pytest.raises(InputError, match=said):
        read_own_encoder(write(name=name))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none.py: it cannot be read \(No such file or directory\)"):
        read_own_encoder(tmp_path / "none.py")
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    with pytest.raises(InputError, match=r"latin.py: it is no Python"):
        read_own_encoder(tmp_path / "latin.py")
