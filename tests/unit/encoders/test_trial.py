"""The check lets an encoder read two tiles."""

from dataclasses import replace

import pytest
import torch

from ressat.base.errors import InputError
from ressat.encoders.encoder import CLASS_TOKEN, PATCH_MEAN
from ressat.encoders.record import EncoderRecord
from ressat.encoders.registry import ENCODERS
from ressat.encoders.trial import encoder_warnings, read_trial_tiles

UNI = replace(ENCODERS.load("uni"), layers={CLASS_TOKEN: 3, PATCH_MEAN: 3})


def network(scale: float = 1.0, width: int = 3, names: tuple[str, ...] = (CLASS_TOKEN, PATCH_MEAN)):
    """Gives the means of the channels."""
    return lambda rgb: {name: scale * rgb.std(dim=(2, 3))[:, :width] for name in names}


def test_an_encoder_that_tells_tiles_apart_passes():
    read_trial_tiles(network(), UNI, 32)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (network(width=2), "UNI gives outputs of the widths {'class_token': (2,), 'patch_mean': (2,)}; "),
        (network(names=(CLASS_TOKEN,)), "UNI gives outputs of the widths {'class_token': (3,)}"),
        (network(scale=torch.nan), "its features class_token of a tile are not finite, or larger than 65504"),
        (network(scale=1e6), "its features class_token of a tile are not finite, or larger than 65504"),
        (network(scale=0), "its features class_token of two different tiles are the same; expected"),
    ],
)  # fmt: skip
def test_what_an_encoder_must_not_give(given, said):
    with pytest.raises(InputError) as caught:
        read_trial_tiles(given, UNI, 32)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "tile_um", "number"),
    [("uni", 128, 0), ("uni", 112, 1), ("virchow", 112, 0), ("resnet50", 10, 0)],
)
def test_tiles_at_another_scale_than_the_trainings_are_warned_of(name, tile_um, number):
    warnings = encoder_warnings(ENCODERS.load(name), tile_um)
    assert len(warnings) == number
    assert all("UNI is meant for tiles of 128 um, and tiling.tile_um is 112" in one for one in warnings)


def test_the_record_says_where_the_encoder_comes_from_and_is_read_back(tmp_path):
    record = EncoderRecord.of("uni", ENCODERS.load("uni"), "uni.bin", "ab" * 32, ["a doubt"])
    record.write(tmp_path / "uni.json")
    assert EncoderRecord.read(tmp_path / "uni.json") == record
    assert record.sentence == (
        "UNI, weights uni.bin (SHA-256 abababababab), giving class_token (1024), patch_mean (1024); "
        "licence: CC-BY-NC-ND-4.0; source: https://huggingface.co/MahmoodLab/UNI, "
        "where access has to be asked for"
    )
