import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.base.single_precision import single_precision


def test_predictions_are_stored_as_float32():
    layer = np.random.default_rng(0).normal(size=(3, 2))
    stored = single_precision({"direct": layer}, list("abc"), ["g", "h"])["direct"]
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, layer.astype(np.float32))


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (-np.inf, "-inf"), (1e300, "inf")])
def test_a_prediction_that_is_not_finite_names_layer_spot_and_gene(value, shown):
    layers = {"direct": np.zeros((3, 2)), "attended": np.zeros((3, 2))}
    layers["attended"][1, 1] = value
    with pytest.raises(
        InputError, match=rf"layer attended: 1 of 6 .*first is {shown}, at b, h\); .*learning_rate"
    ):
        single_precision(layers, list("abc"), ["g", "h"])
