"""Charbonnier losses against stored values, and their limits."""

import numpy as np
import pytest

from tests.gradients import value_and_gradients
from tests.models.shared import golden_arrays
from tfvfi.losses import adaptive_charbonnier, charbonnier

GOLDEN = golden_arrays("ifrnet/losses.npz")
ONE = np.float32(1)


def test_charbonnier_and_its_gradient():
    difference = GOLDEN["x"] - GOLDEN["y"]
    loss, (gradient,) = value_and_gradients(charbonnier, [difference], ONE)
    np.testing.assert_allclose(loss, GOLDEN["charbonnier_l1"], rtol=1e-6)
    np.testing.assert_allclose(gradient, GOLDEN["charbonnier_l1_grad"], rtol=1e-5, atol=1e-10)


def test_a_mask_weighs_the_mean():
    difference = GOLDEN["x"] - GOLDEN["y"]
    loss = charbonnier(difference, GOLDEN["charbonnier_mask"])
    np.testing.assert_allclose(loss, GOLDEN["charbonnier_l1_masked"], rtol=3e-6)


def test_adaptive_charbonnier_and_its_gradient():
    difference = GOLDEN["flow_pred"] - GOLDEN["flow_gt"]
    weight = GOLDEN["robust_weight"]
    loss, (gradient,) = value_and_gradients(
        lambda value: adaptive_charbonnier(value, weight), [difference], ONE
    )
    np.testing.assert_allclose(loss, GOLDEN["charbonnier_ada"], rtol=1e-6)
    wanted = GOLDEN["charbonnier_ada_grad"]
    np.testing.assert_allclose(gradient, wanted, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize(("at", "weight"), enumerate([0, 0.25, 0.5, 1]))
def test_adaptive_charbonnier_with_one_weight_for_all(at, weight):
    difference = GOLDEN["flow_pred"] - GOLDEN["flow_gt"]
    loss = adaptive_charbonnier(difference, weight)
    np.testing.assert_allclose(loss, GOLDEN["charbonnier_ada_const"][at], rtol=2e-6)
