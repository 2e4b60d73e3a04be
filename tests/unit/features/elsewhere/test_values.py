import numpy as np
import pytest
from feature_files import CORNERS, FEATURES, trident

from ressat.base.errors import InputError
from ressat.features.elsewhere import values
from ressat.features.elsewhere.values import feature_blocks, mean_and_some

NAMES = [f"x{x}y{y}" for x, y in CORNERS]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(values, "BLOCK_ROWS", 2)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_features_are_read_block_by_block_by_layer(tmp_path, kind):
    blocks = list(
        feature_blocks(trident(tmp_path, FEATURES.astype(kind)), {"a": slice(0, 3), "b": slice(3, 8)})
    )
    assert [len(block["a"]) for block in blocks] == [2, 2, 1]
    whole = np.hstack([np.concatenate([block[name] for block in blocks]) for name in "ab"])
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, FEATURES, rtol=1e-3 if kind == np.float16 else 0)


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [1, 2], [4], [0, 3]])
def test_the_mean_of_all_and_the_features_of_some(tmp_path, rows):
    mean, some = mean_and_some(trident(tmp_path), np.array(rows), NAMES)
    np.testing.assert_allclose(mean, FEATURES.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(some, FEATURES[rows])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.nan, r"1 of 16 numbers are not finite \(the first is nan, at patch x3900y2900, column 6\)"),
        (-np.inf, r"1 of 16 numbers are not finite \(the first is -inf, at patch x3900y2900, column 6\)"),
        (70_000, "the largest is 70000"),
        (1e39, "1 of 16 numbers are not finite"),
    ],
)
def test_a_feature_that_the_cache_cannot_hold_is_refused(tmp_path, value, said):
    features = FEATURES.astype(np.float64)
    features[3, 5] = value
    with pytest.raises(
        InputError, match=f"trident.h5: features: {said}.*; expected finite features, at most 65504"
    ):
        mean_and_some(trident(tmp_path, features), np.array([0]), NAMES)
