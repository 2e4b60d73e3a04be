import pytest

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.features.elsewhere.layers import columns, possible_layers, require_layers


@pytest.mark.parametrize(
    ("encoder", "width", "layers"),
    [
        ("resnet50", 1024, [("layer3",)]),
        ("resnet50", 2048, [("layer4",)]),
        ("resnet50", 3072, [("layer3", "layer4")]),
        ("uni", 1024, [("class_token",), ("patch_mean",)]),
        ("uni", 2048, [("class_token", "patch_mean")]),
        ("virchow", 2560, [("class_token", "patch_mean")]),
        ("virchow", 1280, [("class_token",), ("patch_mean",)]),
        ("h0_mini", 768, [("class_token",), ("patch_mean",)]),
    ],
)
def test_layers_are_told_by_their_width_the_default_first(encoder, width, layers):
    assert possible_layers(width, ENCODERS.load(encoder)) == layers


def test_a_width_that_no_output_has_is_refused_with_all_that_there_are():
    with pytest.raises(InputError) as caught:
        possible_layers(1536, ENCODERS.load("resnet50"))
    said = (
        "its features are 1536 wide; expected the width of an output of ResNet50 (layer3 1024, layer4 2048,"
    )
    assert said in str(caught.value)
    assert "or 3072 for all of them); set features.encoder" in str(caught.value)


def test_layers_side_by_side_are_split():
    parts = columns(("class_token", "patch_mean"), ENCODERS.load("virchow"))
    assert parts == {"class_token": slice(0, 1280), "patch_mean": slice(1280, 2560)}


def test_a_layer_that_a_model_may_read_must_be_there():
    require_layers(("class_token",), ["class_token"])
    require_layers(("class_token",), [])
    with pytest.raises(InputError) as caught:
        require_layers(("class_token",), ["class_token", "patch_mean"])
    assert "it has class_token alone, and the model may read patch_mean; expected" in str(caught.value)
    assert "set both to [class_token]" in str(caught.value)
