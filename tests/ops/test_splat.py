"""Splatting against the published kernel, in every mode, and at its edges."""

import numpy as np
import pytest
from keras import ops as keras_ops

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.errors import InputError

# Name in the reference arrays -> (mode, metric).
MODES = {
    "sum": ("sum", None),
    "avg": ("average", None),
    "linear": ("linear", "metric_pos"),
    "soft": ("softmax", "metric"),
}


@pytest.mark.parametrize("scene", ["r", "i", "n"])
@pytest.mark.parametrize("name", ["sum", "avg"])
def test_modes_without_metric(form, tracing, golden, scene, name):
    arrays = golden("softsplat")

    def function(image, flow):
        return ops.softmax_splat(image, flow, mode=MODES[name][0])

    inputs = [arrays[f"{scene}_x"], arrays[f"{scene}_flow"]]
    out, gradients = value_and_gradients(function, inputs, arrays[f"{scene}_g"], **tracing)
    compare(arrays, f"{scene}_{name}", out, gradients)


@pytest.mark.parametrize("scene", ["r", "i", "n"])
@pytest.mark.parametrize("name", ["linear", "soft"])
@pytest.mark.parametrize("normalizer", ["add", "zero", "clip"])
def test_modes_with_metric(form, tracing, golden, scene, name, normalizer):
    arrays = golden("softsplat")
    mode, metric = MODES[name]

    def function(image, flow, metric):
        return ops.softmax_splat(image, flow, metric, mode=mode, normalizer=normalizer)

    inputs = [arrays[f"{scene}_{part}"] for part in ("x", "flow", metric)]
    out, gradients = value_and_gradients(function, inputs, arrays[f"{scene}_g"], **tracing)
    key = f"{scene}_{name}" if normalizer == "add" else f"{scene}_{name}-{normalizer}eps"
    compare(arrays, key, out, gradients)


def compare(arrays, key, out, gradients):
    assert_close(out, arrays[f"{key}_out"], 1e-5)
    compared = 0
    for part, gradient in zip(("dx", "dflow", "dmetric"), gradients, strict=False):
        # Whole-number flows have no meaningful flow gradient in some modes: 0 / epsilon.
        if f"{key}_{part}" in arrays:
            assert_close(gradient, arrays[f"{key}_{part}"], 1e-4)
            compared += 1
    assert compared >= 1


@pytest.mark.parametrize("channels", [1, 3, 5, 16, 33])
def test_any_channel_count_against_plain_loops(form, channels):
    random = np.random.default_rng(channels)
    values = random.normal(size=(2, 6, 8, channels)).astype("float32")
    flow = random.normal(0, 3, size=(2, 6, 8, 2)).astype("float32")
    expected = np.zeros_like(values)
    for n, y, x in np.ndindex(2, 6, 8):
        to_x, to_y = x + flow[n, y, x, 0], y + flow[n, y, x, 1]
        x0, y0 = int(np.floor(to_x)), int(np.floor(to_y))
        for column, row in ((x0, y0), (x0 + 1, y0), (x0, y0 + 1), (x0 + 1, y0 + 1)):
            if 0 <= column < 8 and 0 <= row < 6:
                weight = (1 - abs(to_x - column)) * (1 - abs(to_y - row))
                expected[n, row, column] += weight * values[n, y, x]
    assert_close(to_numpy(ops.splat(values, flow)), expected, 1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e10, -1e10, 3e38, -3e38])
def test_flows_that_are_no_place_or_far_away(form, tracing, value):
    random = np.random.default_rng(0)
    values = random.normal(size=(1, 6, 8, 3)).astype("float32")
    flow = np.zeros((1, 6, 8, 2), "float32")
    flow[0, 2, 3, 0] = flow[0, 4, 5, 1] = value
    upstream = np.ones_like(values)
    out, (of_values, of_flow) = value_and_gradients(ops.splat, [values, flow], upstream, **tracing)
    expected = values.copy()
    expected[0, 2, 3] = expected[0, 4, 5] = 0
    assert_close(out, expected, 1e-6)
    assert (of_values[0, 2, 3] == 0).all() and (of_values[0, 4, 5] == 0).all()
    assert (of_flow[0, 2, 3] == 0).all() and (of_flow[0, 4, 5] == 0).all()
    assert np.isfinite(of_values).all() and np.isfinite(of_flow).all()


@pytest.mark.parametrize("normalizer", ["add", "zero", "clip"])
@pytest.mark.parametrize("mode", ["sum", "average", "linear", "softmax"])
def test_pixels_that_nothing_reaches_are_black(form, mode, normalizer):
    image = np.ones((1, 4, 4, 3), "float32")
    flow = np.full((1, 4, 4, 2), 100, "float32")
    metric = np.ones((1, 4, 4, 1), "float32")
    out = ops.softmax_splat(image, flow, metric, mode=mode, normalizer=normalizer)
    assert (to_numpy(out) == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(dtype):
    # 512 pixels meet at one place; in bfloat16 the sum would stop growing at 256.
    values = keras_ops.ones((1, 1, 512, 1), dtype)
    flow = np.zeros((1, 1, 512, 2), "float32")
    flow[0, 0, :, 0] = -np.arange(512)
    out = ops.splat(values, flow)
    assert keras_ops.dtype(out) == dtype
    assert to_numpy(out)[0, 0, 0, 0] == 512


@pytest.mark.parametrize(
    ("values", "flow"),
    [
        (np.zeros((4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32")),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 3), "float32")),
        (np.zeros((1, 4, 4, 3), "float32"), np.zeros((2, 4, 4, 2), "float32")),
        (np.zeros((1, 4, 4, 3), "int32"), np.zeros((1, 4, 4, 2), "float32")),
    ],
)
def test_wrong_inputs_are_named(values, flow):
    with pytest.raises(InputError, match="Received: "):
        ops.splat(values, flow)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "median"},
        {"mode": "softmax"},
        {"mode": "linear", "metric": np.zeros((1, 4, 4, 2), "float32")},
        {"mode": "average", "normalizer": "none"},
    ],
)
def test_wrong_options_are_named(options):
    image, flow = np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32")
    with pytest.raises(InputError, match="Received: "):
        ops.softmax_splat(image, flow, **options)
