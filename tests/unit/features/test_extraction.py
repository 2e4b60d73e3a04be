import numpy as np
import pytest
import torch

from ressat.encoders.families.resnet import PooledResNet50, random_weights
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import COLOUR
from ressat.features.extraction import StainLayer, encode
from ressat.stain.methods.macenko import MacenkoStains
from ressat.stain.methods.registry import METHODS
from ressat.stain.methods.reinhard import ReinhardStatistics
from ressat.stain.transform import PixelTransform

CPU = "cpu"
RESNET50 = ENCODERS.load("resnet50")
MACENKO, REINHARD = METHODS.load("macenko"), METHODS.load("reinhard")


@pytest.fixture(scope="module")
def tiles() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def transform() -> PixelTransform:
    source = MacenkoStains(
        np.array([[0.65, 0.27], [0.70, 0.80], [0.29, 0.53]]) / [[0.9985], [0.9985], [0.9985]],
        np.array([1.5, 0.8]),
    )
    return MACENKO.transform(source, MACENKO.published)


def encoded(batches, network, transform, device) -> dict[str, np.ndarray]:
    parts = list(encode(map(torch.from_numpy, batches), network, transform, device))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_normalisation_on_the_device_is_that_of_numpy(tiles, transform, method):
    if method == "reinhard":
        source = ReinhardStatistics(np.array([8.2, -0.2, 0.0]), np.array([0.7, 0.17, 0.03]))
        transform = REINHARD.transform(source, REINHARD.published)
    rgb = torch.from_numpy(tiles).permute(0, 3, 1, 2).float()
    on_device = StainLayer(transform)(rgb).permute(0, 2, 3, 1).numpy()
    difference = np.abs(on_device - transform.apply(tiles).astype(float))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_features_do_not_depend_on_the_batch_size(tiles, transform):
    network = PooledResNet50(RESNET50, random_weights(0))
    whole = encoded([tiles], network, transform, CPU)
    parts = encoded([tiles[:1], tiles[1:4], tiles[4:]], network, transform, CPU)
    for name in (*RESNET50.layers, COLOUR):
        np.testing.assert_allclose(parts[name], whole[name], rtol=2e-3, atol=1e-3)
    assert whole["layer3"].shape == (7, 1024)
    assert whole["layer4"].dtype == np.float16


def test_normalisation_reaches_features_and_colours(tiles, transform):
    network = PooledResNet50(RESNET50, random_weights(0))
    plain = encoded([tiles], network, None, CPU)
    normalised = encoded([tiles], network, transform, CPU)
    expected = encoded([transform.apply(tiles)], network, None, CPU)
    assert not np.allclose(plain["colour"], normalised["colour"], atol=1)
    np.testing.assert_allclose(normalised["colour"], expected["colour"], atol=0.05)
    np.testing.assert_allclose(normalised["layer3"], expected["layer3"], rtol=0.02, atol=5e-3)


def test_bf16_stays_close_to_fp32(tiles):
    full = encoded([tiles], PooledResNet50(RESNET50, random_weights(0)), None, CPU)
    half = encoded([tiles], PooledResNet50(RESNET50, random_weights(0), torch.bfloat16), None, CPU)
    for name in RESNET50.layers:
        a, b = full[name].astype(float), half[name].astype(float)
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert cosine.min() > 0.999
