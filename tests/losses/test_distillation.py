"""Flow distillation: the weight, and coarse flows against a full-size one."""

import numpy as np

from tests.gradients import value_and_gradients
from tests.models.shared import golden_arrays
from tfvfi.losses import adaptive_charbonnier, flow_distillation, robust_weight

GOLDEN = golden_arrays("ifrnet/losses.npz")


def test_robust_weight_without_a_gradient():
    flows = [GOLDEN["flow_pred"], GOLDEN["flow_gt"]]
    weight, gradients = value_and_gradients(
        robust_weight, flows, np.ones((2, 32, 48, 1), "float32")
    )
    np.testing.assert_allclose(weight, GOLDEN["robust_weight"], rtol=1e-5)
    assert not any(gradient.any() for gradient in gradients)


def test_the_weight_of_a_perfect_flow_is_one():
    flow = GOLDEN["flow_gt"]
    np.testing.assert_array_equal(robust_weight(flow, flow), np.ones((2, 32, 48, 1)))


def test_coarse_flows_are_enlarged_in_size_and_value():
    target = np.full((1, 16, 24, 2), (8.0, -4.0), "float32")
    quarter, half = target[:, ::4, ::4] / 4, target[:, ::2, ::2] / 2
    perfect = adaptive_charbonnier(np.zeros_like(target), 1.0)
    loss = flow_distillation([half, quarter], target, 1.0)
    np.testing.assert_allclose(loss, 2 * perfect, rtol=1e-6)
    beside = flow_distillation([half, quarter + 1], target, 1.0)
    # A pixel of the quarter size is four of the full one.
    np.testing.assert_allclose(beside, 4 + perfect, rtol=1e-4)
