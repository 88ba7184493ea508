"""PReLU: both forms give the same, for any number of channels, and only one has gradients."""

import keras
import numpy as np
import pytest

from tfvfi.ops.dispatch import inference
from tfvfi.ops.prelu import prelu


@pytest.mark.parametrize("channels", [1, 3, 8, 21, 64])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_both_forms_give_the_same(channels, dtype):
    draw = np.random.default_rng(channels)
    values = draw.normal(size=(2, 7, 9, channels)).astype("float32")
    values[0, 0, 0], values[0, 0, 1] = 0, np.nan
    values = keras.ops.cast(values, dtype)
    # Exact in both types.
    slope = keras.ops.cast(draw.integers(-4, 8, channels) / 4, dtype)
    expected = keras.ops.cast(prelu(values, slope), "float32")
    with inference():
        found = prelu(values, slope)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    np.testing.assert_array_equal(keras.ops.cast(found, "float32"), expected)
    plain = np.asarray(keras.ops.cast(values, "float32"))
    scaled = plain * np.asarray(keras.ops.cast(slope, "float32"))
    limit = 0.0 if dtype == "float32" else 0.004
    np.testing.assert_allclose(expected, np.where(plain > 0, plain, scaled), rtol=limit)
