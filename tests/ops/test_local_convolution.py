"""Convolutions with kernels of their own at every pixel, against SepConv's and plain sums."""

import numpy as np
import pytest
from keras import ops as keras_ops

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.errors import InputError


@pytest.mark.parametrize("case", ["a", "b"])
def test_separable_convolution_of_sepconv(form, tracing, golden, case):
    arrays = golden("sepconv")
    inputs = [arrays[f"{case}_{name}"] for name in ("padded", "ver", "hor")]
    out, gradients = value_and_gradients(
        ops.separable_convolution, inputs, arrays[f"{case}_g"], **tracing
    )
    assert_close(out, arrays[f"{case}_conv_out"], 1e-5)
    for gradient, name in zip(gradients, ("dpadded", "dver", "dhor"), strict=True):
        assert_close(gradient, arrays[f"{case}_conv_{name}"], 1e-4)


@pytest.mark.parametrize("case", ["a", "b"])
def test_local_convolution_with_products_of_taps(form, tracing, golden, case):
    arrays = golden("sepconv")
    vertical, horizontal = arrays[f"{case}_ver"], arrays[f"{case}_hor"]

    def function(image, vertical, horizontal):
        kernels = vertical[..., :, None] * horizontal[..., None, :]
        return ops.local_convolution(image, kernels)

    inputs = [arrays[f"{case}_padded"], vertical, horizontal]
    out, gradients = value_and_gradients(function, inputs, arrays[f"{case}_g"], **tracing)
    assert_close(out, arrays[f"{case}_conv_out"], 1e-5)
    for gradient, name in zip(gradients, ("dpadded", "dver", "dhor"), strict=True):
        assert_close(gradient, arrays[f"{case}_conv_{name}"], 1e-4)


@pytest.mark.parametrize("channels", [1, 3, 5, 16, 33])
@pytest.mark.parametrize("taps", [(1, 1), (3, 4), (5, 2)])
def test_local_convolution_against_plain_sums(form, channels, taps):
    random = np.random.default_rng(channels)
    batch, height, width = 2, 6, 7
    padded = (batch, height + taps[0] - 1, width + taps[1] - 1, channels)
    image = random.normal(size=padded).astype("float32")
    kernels = random.normal(size=(batch, height, width, *taps)).astype("float32")
    upstream = random.normal(size=(batch, height, width, channels)).astype("float32")
    expected = np.zeros(upstream.shape)
    of_image, of_kernels = np.zeros(image.shape), np.zeros(kernels.shape)
    for i, j in np.ndindex(*taps):
        reached = np.s_[:, i : i + height, j : j + width]
        expected += image[reached] * kernels[..., i, j, None]
        of_image[reached] += upstream * kernels[..., i, j, None]
        of_kernels[..., i, j] = (upstream * image[reached]).sum(-1)
    out, gradients = value_and_gradients(ops.local_convolution, [image, kernels], upstream)
    assert_close(out, expected, 1e-5)
    assert_close(gradients[0], of_image, 1e-5)
    assert_close(gradients[1], of_kernels, 1e-5)


@pytest.mark.parametrize("channels", [1, 5, 16, 33])
def test_separable_convolution_is_local_convolution(form, channels):
    random = np.random.default_rng(channels)
    image = random.normal(size=(2, 9, 12, channels)).astype("float32")
    vertical = random.normal(size=(2, 6, 8, 4)).astype("float32")
    horizontal = random.normal(size=(2, 6, 8, 5)).astype("float32")
    separable = ops.separable_convolution(image, vertical, horizontal)
    kernels = vertical[..., :, None] * horizontal[..., None, :]
    assert_close(to_numpy(separable), to_numpy(ops.local_convolution(image, kernels)), 1e-5)


def test_one_bad_tap_spoils_one_pixel(form):
    image, taps = np.ones((1, 6, 8, 3), "float32"), np.ones((1, 4, 6, 3), "float32")
    bad = taps.copy()
    bad[0, 1, 2, 0] = np.nan
    out = to_numpy(ops.separable_convolution(image, bad, taps))
    assert np.isnan(out[0, 1, 2]).all() and np.isnan(out).sum() == 3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(dtype):
    # In bfloat16 a sum of 576 ones would stop growing at 256.
    image = keras_ops.ones((1, 24, 24, 1), dtype)
    taps = keras_ops.ones((1, 1, 1, 24), dtype)
    separable = ops.separable_convolution(image, taps, taps)
    local = ops.local_convolution(image, keras_ops.ones((1, 1, 1, 24, 24), dtype))
    assert keras_ops.dtype(separable) == keras_ops.dtype(local) == dtype
    assert to_numpy(separable).item() == to_numpy(local).item() == 576


def zeros(*shape):
    return np.zeros(shape, "float32")


@pytest.mark.parametrize(
    ("image", "vertical", "horizontal"),
    [
        (zeros(6, 8, 3), zeros(1, 4, 6, 3), zeros(1, 4, 6, 3)),
        (zeros(1, 4, 6, 3), zeros(1, 4, 6, 3), zeros(1, 4, 6, 3)),
        (zeros(1, 6, 8, 3), zeros(1, 4, 6, 3), zeros(1, 4, 5, 3)),
        (zeros(2, 6, 8, 3), zeros(1, 4, 6, 3), zeros(1, 4, 6, 3)),
        (zeros(1, 3, 5, 3), zeros(1, 4, 6, 0), zeros(1, 4, 6, 0)),
        (zeros(1, 6, 8, 3).astype(int), zeros(1, 4, 6, 3), zeros(1, 4, 6, 3)),
    ],
)
def test_wrong_inputs_are_named(image, vertical, horizontal):
    with pytest.raises(InputError, match="Received: "):
        ops.separable_convolution(image, vertical, horizontal)
    with pytest.raises(InputError, match="Received: "):
        ops.local_convolution(image, horizontal)
