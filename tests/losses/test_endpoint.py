"""Endpoint errors against the published training loss: values and gradients."""

from pathlib import Path

import numpy as np
import pytest
from keras import ops

from tests.gradients import value_and_gradients
from tfvfi.errors import InputError
from tfvfi.losses import endpoint_error, flow_difference, multi_scale_flow

GOLDEN = Path(__file__).parents[1] / "golden" / "flownet2" / "loss.npz"
LEVELS = ("flow2", "flow3", "flow4", "flow5", "flow6")


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as arrays:
        return {
            key: np.moveaxis(arrays[key], 1, -1) if arrays[key].ndim else arrays[key]
            for key in arrays
        }


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_multi_scale_values_and_gradients(golden, norm):
    flows = [golden[level] for level in LEVELS]
    _, error = multi_scale_flow(flows, golden["target"], norm)
    np.testing.assert_allclose(error, golden[f"multiscale_{norm}_epe"], rtol=1e-6)

    loss, found = value_and_gradients(
        lambda *flows: multi_scale_flow(flows, golden["target"], norm)[0], flows, np.float32(1)
    )
    np.testing.assert_allclose(loss, golden[f"multiscale_{norm}"], rtol=1e-6)
    for level, gradient in zip(LEVELS, found, strict=True):
        stored = golden[f"multiscale_{norm}_g{level}"]
        np.testing.assert_allclose(gradient, stored, atol=1e-5 * np.abs(stored).max())


def test_fewer_levels_and_another_weight(golden):
    flows = [golden[level] for level in LEVELS[:3]]
    loss, error = multi_scale_flow(flows, golden["target"], "l1", first_weight=0.1)
    np.testing.assert_allclose(loss, golden["multiscale3_l1"], rtol=1e-6)
    np.testing.assert_allclose(error, golden["multiscale3_l1_epe"], rtol=1e-6)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_one_flow_at_full_size(golden, norm):
    found = flow_difference(golden["full"], golden["target"], norm)
    np.testing.assert_allclose(found, golden[f"{norm}loss"], rtol=1e-6)
    error = endpoint_error(golden["full"], golden["target"])
    np.testing.assert_allclose(error, golden["epe"], rtol=1e-6)


def test_no_error_has_no_gradient():
    flow = np.ones((1, 4, 4, 2), "float32")
    _, (gradient,) = value_and_gradients(
        lambda found: endpoint_error(found, ops.convert_to_tensor(flow)), [flow], np.float32(1)
    )
    np.testing.assert_array_equal(gradient, 0)


def test_unknown_norm():
    flow = np.zeros((1, 4, 4, 2), "float32")
    with pytest.raises(InputError, match=r"norm is one of l1, l2\. Received: 'l3'"):
        flow_difference(flow, flow, "l3")
