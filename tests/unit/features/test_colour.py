import numpy as np
import torch

from ressat.features.colour import COLOUR_STATISTICS, colour_statistics


def test_colour_statistics_are_those_of_numpy():
    tiles = np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)
    found = colour_statistics(torch.from_numpy(tiles).permute(0, 3, 1, 2).float()).numpy()
    pixels = tiles.reshape(len(tiles), -1, 3).astype(float)
    expected = np.hstack(
        [pixels.mean(axis=1), pixels.std(axis=1), np.percentile(pixels, 10, axis=1, method="inverted_cdf")]
    )
    assert found.shape == (7, len(COLOUR_STATISTICS))
    np.testing.assert_allclose(found, expected, atol=1.0)
    np.testing.assert_allclose(found[:, :6], expected[:, :6], rtol=1e-4)
