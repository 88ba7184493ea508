"""The census loss against stored values, and what it does not see."""

import numpy as np
import pytest
from keras import ops

from tests.gradients import value_and_gradients
from tests.models.shared import golden_arrays
from tfvfi.losses import census
from tfvfi.ops.census import census_transform

GOLDEN = golden_arrays("ifrnet/losses.npz")


@pytest.mark.parametrize("compiled", [False, True])
def test_census_and_its_gradients(compiled):
    images = [GOLDEN["x"], GOLDEN["y"]]
    loss, (to_image, to_target) = value_and_gradients(census, images, np.float32(1), compiled)
    np.testing.assert_allclose(loss, GOLDEN["ternary"], rtol=1e-6)
    wanted = GOLDEN["ternary_grad_x"]
    np.testing.assert_allclose(to_image, wanted, atol=2e-6 * np.abs(wanted).max())
    assert not to_target.any()


def test_sizes_known_only_when_it_runs():
    images = [GOLDEN["x"], GOLDEN["y"]]
    loss, _ = value_and_gradients(census, images, np.float32(1), compiled=True, unknown=(0, 1, 2))
    np.testing.assert_allclose(loss, GOLDEN["ternary"], rtol=1e-6)


def test_transform_of_gray_values():
    gray = ops.mean(GOLDEN["x"], axis=-1, keepdims=True)
    found = ops.convert_to_numpy(census_transform(gray, 7))
    assert found.shape == (2, 32, 40, 49)
    np.testing.assert_allclose(found[:, ::8, ::8], GOLDEN["ternary_transform_x_slice"], atol=1e-6)


def test_brightness_does_not_count():
    x = GOLDEN["x"] * 0.5
    assert float(census(x + 0.25, x)) < 1e-6 < float(census(1 - x, x))
