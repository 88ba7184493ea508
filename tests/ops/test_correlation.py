"""Cost volumes against PWC-Net's and FlowNet2's layers, and against plain loops."""

import numpy as np
import pytest
from keras import ops as keras_ops

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.errors import InputError


@pytest.mark.parametrize("case", ["a", "b"])
def test_pwc_net(form, tracing, golden, case):
    arrays = golden("correlation")
    inputs = [arrays[f"{case}_one"], arrays[f"{case}_two"]]
    out, gradients = value_and_gradients(ops.correlation, inputs, arrays[f"{case}_g"], **tracing)
    assert_close(out, arrays[f"{case}_corr_out"], 1e-5)
    assert_close(gradients[0], arrays[f"{case}_corr_done"], 1e-4)
    assert_close(gradients[1], arrays[f"{case}_corr_dtwo"], 1e-4)


@pytest.mark.parametrize("case", ["main", "d4", "k3", "pad3", "s2"])
def test_flownet2(form, tracing, golden, case):
    arrays = {key: value for key, value in golden("flownet2").items() if key[:4] == "corr"}
    padding, kernel_size, max_displacement, output_stride, stride = (
        int(value) for value in arrays[f"corr_{case}_params"]
    )

    def function(a, b):
        return ops.correlation(
            a, b, max_displacement, stride, kernel_size, output_stride, padding=padding
        )

    expected = arrays[f"corr_{case}_out"]
    # The published gradient kernel is wrong at output_stride 2; loops check that one below.
    upstream = arrays.get(f"corr_{case}_gout", np.ones_like(expected))
    inputs = [arrays[f"corr_{case}_in1"], arrays[f"corr_{case}_in2"]]
    out, gradients = value_and_gradients(function, inputs, upstream, **tracing)
    assert_close(out, expected, 1e-5)
    for gradient, name in zip(gradients, ("gin1", "gin2"), strict=True):
        if case != "s2":
            assert_close(gradient, arrays[f"corr_{case}_{name}"], 1e-4)


@pytest.mark.parametrize("channels", [1, 3, 16, 33])
@pytest.mark.parametrize(
    "options",
    [
        {"max_displacement": 1},
        {"max_displacement": 0},
        {"max_displacement": 5, "stride": 2},
        {"max_displacement": 2, "kernel_size": 3},
        {"max_displacement": 2, "output_stride": 2},
        {"max_displacement": 3, "stride": 2, "kernel_size": 5, "output_stride": 3},
        {"max_displacement": 2, "kernel_size": 3, "padding": 5},
        {"max_displacement": 3, "padding": 1},
    ],
    ids=lambda options: "-".join(f"{key}{value}" for key, value in options.items()),
)
def test_plain_loops(form, channels, options):
    random = np.random.default_rng(channels)
    a, b = random.normal(size=(2, 2, 7, 10, channels)).astype("float32")
    out_shape, terms = loops(a.shape, **options)
    upstream = random.normal(size=out_shape).astype("float32")
    expected, of_a, of_b = np.zeros(out_shape), np.zeros(a.shape), np.zeros(a.shape)
    for place, at_a, at_b, divisor in terms:
        expected[place] += (a[at_a] * b[at_b]).sum(-1) / divisor
        of_a[at_a] += upstream[place][:, None] * b[at_b] / divisor
        of_b[at_b] += upstream[place][:, None] * a[at_a] / divisor
    out, gradients = value_and_gradients(
        lambda a, b: ops.correlation(a, b, **options), [a, b], upstream
    )
    assert_close(out, expected, 1e-5)
    assert_close(gradients[0], of_a, 1e-5)
    assert_close(gradients[1], of_b, 1e-5)


def loops(shape, max_displacement, stride=1, kernel_size=1, output_stride=1, padding=None):
    """Shape of the volume, and (place in it, pixel of a, pixel of b, divisor) of all its terms."""
    batch, height, width, channels = shape
    reach, window = max_displacement // stride, kernel_size // 2
    start = 0 if padding is None else max_displacement - padding
    lost = 0 if padding is None else 2 * (start + window)
    rows, columns = (-(-(size - lost) // output_stride) for size in (height, width))
    side = 2 * reach + 1
    terms = []
    for row, column, channel in np.ndindex(rows, columns, side * side):
        dy, dx = (channel // side - reach) * stride, (channel % side - reach) * stride
        for j, i in np.ndindex(kernel_size, kernel_size):
            y = start + row * output_stride + j - window
            x = start + column * output_stride + i - window
            if all(0 <= v < height for v in (y, y + dy)) and all(
                0 <= v < width for v in (x, x + dx)
            ):
                divisor = channels * kernel_size**2
                place = np.s_[:, row, column, channel]
                terms.append((place, np.s_[:, y, x], np.s_[:, y + dy, x + dx], divisor))
    return (batch, rows, columns, side * side), terms


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(dtype):
    # In bfloat16 a sum of ones would stop growing at 256, and the mean would not be 1.
    a = keras_ops.ones((1, 3, 3, 1024), dtype)
    out = ops.correlation(a, a, max_displacement=1)
    assert keras_ops.dtype(out) == dtype
    np.testing.assert_array_equal(to_numpy(out)[0, 1, 1], np.ones(9))


MAP = np.zeros((1, 6, 8, 4), "float32")


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        (MAP, MAP[..., :3], {}),
        (MAP[0], MAP[0], {}),
        (MAP, MAP[:, :5], {}),
        (MAP, MAP, {"max_displacement": -1}),
        (MAP, MAP, {"stride": 0}),
        (MAP, MAP, {"kernel_size": 2}),
        (MAP, MAP, {"output_stride": 1.5}),
        (MAP, MAP, {"max_displacement": 4, "padding": 1}),
    ],
)
def test_wrong_inputs_are_named(a, b, options):
    with pytest.raises(InputError, match="Received: "):
        ops.correlation(a, b, **options)
