"""Geometry consistency against stored values."""

import numpy as np
from keras import ops

from tests.gradients import value_and_gradients
from tests.models.shared import golden_arrays
from tfvfi.losses import geometry
from tfvfi.ops.census import census_transform

GOLDEN = golden_arrays("ifrnet/losses.npz")


def test_geometry_and_both_gradients():
    features = [GOLDEN["fx"], GOLDEN["fy"]]
    loss, gradients = value_and_gradients(geometry, features, np.float32(1))
    np.testing.assert_allclose(loss, GOLDEN["geometry"], rtol=1e-6)
    for gradient, name in zip(gradients, ("geometry_grad_x", "geometry_grad_y"), strict=True):
        np.testing.assert_allclose(gradient, GOLDEN[name], atol=2e-6 * np.abs(GOLDEN[name]).max())


def test_transform_has_the_neighbors_of_one_channel_together():
    found = ops.convert_to_numpy(census_transform(GOLDEN["fx"], 3))
    assert found.shape == (2, 12, 16, 72)
    np.testing.assert_allclose(found[:, ::4, ::4], GOLDEN["geometry_transform_x_slice"], atol=1e-6)
