"""Convolutions in one pass: sums in float64, any size and channels, and when they are taken."""

import keras
import numpy as np
import pytest

from tests.ops.convolutions import arrays
from tfvfi import ops
from tfvfi.layers import Conv2D, ConvPReLU, Double, leaky_relu
from tfvfi.ops import native
from tfvfi.ops.convolution import (
    doubling,
    doubling_fusible,
    fused_convolution,
    fused_doubling,
    fused_large_convolution,
    fused_spaced_convolution,
    fusible,
    large_fusible,
    spaced_fusible,
)
from tfvfi.ops.dispatch import inference

if keras.backend.backend() != "tensorflow" or not native.available():
    pytest.skip("the native operations are not there", allow_module_level=True)

import tensorflow as tf


def exact(image, kernel, bias, slope, shortcut=0.0, stride=1):
    beside = (len(kernel) // 2,) * 2
    padded = np.pad(image.astype("float64"), ((0, 0), beside, beside, (0, 0)))
    out = tf.nn.conv2d(padded, kernel.astype("float64"), stride, "VALID").numpy()
    out = out + bias + shortcut
    return np.where(out > 0, out, slope * out)


@pytest.mark.parametrize(
    "shape",
    # One tile and parts of some; one vector, parts of some, and panels of every width.
    [
        (1, 4, 4, 16, 16),
        (2, 9, 30, 24, 24),
        (1, 1, 7, 17, 85),
        (1, 23, 2, 3, 5),
        (1, 13, 14, 40, 35),
        (1, 5, 9, 300, 2),
        # Very few outputs, which are computed without transforms.
        (1, 1, 1, 16, 1),
        (2, 7, 21, 40, 3),
        (1, 6, 13, 33, 4),
    ],
)
def test_it_is_a_convolution(shape):
    image, kernel, bias, slope = arrays(*shape)
    found = fused_convolution(*map(tf.constant, (image, kernel, bias, slope))).numpy()
    np.testing.assert_allclose(found, exact(image, kernel, bias, slope), atol=1e-5)
    shortcut = np.random.default_rng(1).normal(size=found.shape).astype("float32")
    found = fused_convolution(*map(tf.constant, (image, kernel, bias, slope, shortcut))).numpy()
    np.testing.assert_allclose(found, exact(image, kernel, bias, slope, shortcut), atol=1e-5)


def test_errors_are_those_of_sums_in_float32():
    image, kernel, bias, slope = arrays(1, 64, 64, 72, 72)
    found = fused_convolution(*map(tf.constant, (image, kernel, bias, slope))).numpy()
    errors = found - exact(image, kernel, bias, slope)
    assert np.sqrt(np.mean(errors**2)) < 1.5e-6


def test_channels_before_those_of_the_kernel_pass_through():
    image, kernel, bias, slope = arrays(2, 10, 13, 24, 24)
    before = np.random.default_rng(2).normal(size=(2, 10, 13, 7)).astype("float32")
    both = np.concatenate([before, image], axis=-1)
    found = fused_convolution(*map(tf.constant, (both, kernel, bias, slope))).numpy()
    np.testing.assert_array_equal(found[..., :7], before)
    np.testing.assert_allclose(found[..., 7:], exact(image, kernel, bias, slope), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("operation", [fused_convolution, fused_doubling])
def test_few_tiles_and_many_give_the_same_bits(operation, precision):
    # Kernels for one image are transformed in panels, those for thirty all at once. There are
    # more inputs than one step takes, and the last panel is narrow.
    doubled = operation is fused_doubling
    image, kernel, bias, slope = arrays(1, 9, 10, 151, 100 if doubled else 400)
    if doubled:
        kernel = np.random.default_rng(3).normal(size=(4, 4, 100, 151)).astype("float32") / 40
    image = tf.cast(image, precision)
    found, many = (
        operation(images, *map(tf.constant, (kernel, bias, slope)))
        for images in (image, tf.repeat(image, 30, axis=0))
    )
    for each in many:
        np.testing.assert_array_equal(tf.cast(each, "float32"), tf.cast(found[0], "float32"))


@pytest.mark.parametrize("shape", [(2, 7, 10, 16, 8), (1, 6, 5, 72, 58), (1, 1, 1, 20, 3)])
def test_doubling_is_the_transposed_convolution(shape):
    image, _, bias, slope = arrays(*shape)
    kernel = np.random.default_rng(3).normal(size=(4, 4, shape[4], shape[3])) / 20
    sizes = (shape[0], 2 * shape[1], 2 * shape[2], shape[4])
    out = tf.nn.conv2d_transpose(image.astype("float64"), kernel, sizes, 2, "SAME").numpy() + bias
    inputs = (image, kernel.astype("float32"), bias, slope)
    found = fused_doubling(*map(tf.constant, inputs)).numpy()
    np.testing.assert_allclose(found, np.where(out > 0, out, slope * out), atol=1e-5)

    np.testing.assert_allclose(doubling(*map(tf.constant, inputs[:2])) + bias, out, atol=1e-5)


@pytest.mark.parametrize(("side", "stride"), [(5, 1), (5, 2), (7, 1), (7, 2)])
@pytest.mark.parametrize(
    "shape",
    # Less than a tile, several blocks with parts of tiles, and panels of every width.
    [(1, 1, 1, 1, 1), (2, 1, 7, 3, 5), (1, 70, 61, 6, 32), (1, 23, 2, 17, 85), (2, 9, 30, 40, 24)],
)
def test_large_convolution(shape, side, stride):
    image, kernel, bias, slope = arrays(*shape, kernel=side)
    inputs = map(tf.constant, (image, kernel, bias, slope))
    found = fused_large_convolution(*inputs, stride).numpy()
    expected = exact(image, kernel, bias, slope, stride=stride)
    np.testing.assert_allclose(found, expected, atol=4e-5)


@pytest.mark.parametrize(("side", "stride"), [(5, 1), (5, 2), (7, 1), (7, 2)])
def test_errors_of_large_convolution_are_those_of_sums_in_float32(side, stride):
    image, kernel, bias, slope = arrays(1, 64, 64, 32, 32, kernel=side)
    found = fused_large_convolution(*map(tf.constant, (image, kernel, bias, slope)), stride)
    errors = found.numpy() - exact(image, kernel, bias, slope, stride=stride)
    assert np.sqrt(np.mean(errors**2)) < 2.5e-6


@pytest.mark.parametrize(
    ("shape", "spacing"),
    # No gaps; sides that are no multiples of the spacing; a single output; panels of some widths.
    [
        ((2, 9, 30, 24, 24), 1),
        ((2, 13, 21, 17, 85), 3),
        ((1, 4, 4, 3, 2), 1),
        ((1, 25, 47, 40, 5), 8),
    ],
)
def test_spaced_convolution(shape, spacing):
    image, kernel, bias, slope = arrays(*shape, kernel=4)
    found = fused_spaced_convolution(*map(tf.constant, (image, kernel, bias, slope)), spacing)
    sums = bias + sum(
        image[:, y * spacing :, x * spacing :][:, : found.shape[1], : found.shape[2]].astype(float)
        @ kernel[y, x]
        for y in range(4)
        for x in range(4)
    )
    np.testing.assert_allclose(found, np.where(sums > 0, sums, slope * sums), atol=2e-5)


def in_bfloat16(operation, image, *others):
    """Returns the result of an operation on an image in bfloat16, and that image."""
    image = tf.cast(image, "bfloat16")
    found = operation(image, *map(tf.constant, others))
    assert found.dtype == tf.bfloat16
    return tf.cast(found, "float32").numpy(), tf.cast(image, "float32").numpy()


@pytest.mark.parametrize(
    "shape", [(1, 12, 20, 24, 36), (2, 9, 7, 17, 85), (1, 5, 6, 3, 5), (1, 6, 9, 300, 4)]
)
def test_bfloat16(shape):
    image, kernel, bias, slope = arrays(*shape)
    shortcut = np.random.default_rng(1).normal(size=(*shape[:3], shape[4])).astype("float32")
    found, image = in_bfloat16(fused_convolution, image, kernel, bias, slope, shortcut)
    shortcut = tf.cast(tf.cast(shortcut, "bfloat16"), "float32").numpy()
    expected = exact(image, kernel, bias, slope, shortcut)
    # Values have a standard deviation of about 1, and their products are rounded to 8 bits.
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.015
    assert np.abs(found - expected).max() < 0.15


@pytest.mark.parametrize("outputs", [1, 2, 3, 4])
def test_very_few_outputs_in_bfloat16(outputs):
    image, *others = arrays(2, 7, 21, 40, outputs)
    with inference():
        found, image = in_bfloat16(fused_convolution, image, *others)
    # Only the output is rounded.
    np.testing.assert_allclose(found, exact(image, *others), rtol=2**-8, atol=1e-4)


def test_spaced_convolution_in_bfloat16():
    image, *others = arrays(1, 20, 24, 40, 36, kernel=4)
    found, image = in_bfloat16(lambda *inputs: fused_spaced_convolution(*inputs, 4), image, *others)
    expected = fused_spaced_convolution(*map(tf.constant, (image, *others)), 4).numpy()
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.03


def test_bfloat16_that_is_not_finite():
    broken, *others = arrays(1, 4, 4, 24, 36)
    odd = arrays(1, 4, 4, 23, 36)
    for value in (np.nan, np.inf, -np.inf, np.nan):
        broken[:] = value
        found, _ = in_bfloat16(fused_convolution, broken, *others)
        assert not np.isfinite(found).any()
        # Channels are multiplied in pairs, and the memory beside an odd last one may hold anything.
        found, _ = in_bfloat16(fused_convolution, *odd)
        assert np.isfinite(found).all()


@pytest.mark.parametrize(("side", "stride"), [(7, 1), (5, 2)])
@pytest.mark.parametrize("channels", [24, 23])
def test_large_convolution_in_bfloat16(channels, side, stride):
    image, *others = arrays(1, 12, 21, channels, 36, kernel=side)
    found, image = in_bfloat16(
        lambda *inputs: fused_large_convolution(*inputs, stride), image, *others
    )
    errors = found - exact(image, *others, stride=stride)
    assert np.sqrt(np.mean(errors**2)) < 0.03 and np.abs(errors).max() < 0.2


def test_doubling_in_bfloat16():
    image, _, bias, slope = arrays(1, 7, 10, 16, 9)
    kernel = np.random.default_rng(3).normal(size=(4, 4, 9, 16)).astype("float32") / 8
    found, image = in_bfloat16(fused_doubling, image, kernel, bias, slope)
    expected = fused_doubling(*map(tf.constant, (image, kernel, bias, slope))).numpy()
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.02


def test_channels_pass_through_in_bfloat16():
    image, kernel, bias, slope = arrays(1, 10, 13, 31, 24)
    kernel = kernel[:, :, 7:]
    found, image = in_bfloat16(fused_convolution, image, kernel, bias, slope)
    np.testing.assert_array_equal(found[..., :7], image[..., :7])
    expected = exact(image[..., 7:], kernel, bias, slope)
    assert np.sqrt(np.mean((found[..., 7:] - expected) ** 2)) < 0.015


@pytest.mark.parametrize(
    "layer",
    [
        Conv2D(20),
        Conv2D(20, activation="relu"),
        Conv2D(20, activation=leaky_relu),
        ConvPReLU(20),
        Conv2D(20, activation="relu", use_bias=False),
        Double(20, activation=leaky_relu),
        Conv2D(20, 5),
        Conv2D(20, 5, strides=2, activation=leaky_relu),
        Conv2D(20, 7, activation="relu", use_bias=False),
        ConvPReLU(20, 7, strides=2),
        # These have no such form.
        Conv2D(20, strides=2),
        Conv2D(20, dilation=2),
        Conv2D(20, activation="tanh"),
        Conv2D(3),
    ],
)
def test_layers_compute_the_same_where_no_gradients_are_wanted(layer):
    keras.utils.set_random_seed(0)
    image = tf.constant(arrays(1, 8, 12, 24, 20)[0])
    with ops.portable():
        expected = layer(image)
    with inference():
        found = layer(image)
    assert np.abs(found - expected).max() < 1e-5


def test_where_it_is_taken():
    image, large = tf.zeros((1, 8, 8, 16)), tf.zeros((2, 16, 16, 16))
    kernel = tf.zeros((5, 5, 16, 16))
    # Where gradients are wanted, only for many pixels in float32.
    assert fusible(large, 16, 16) and not fusible(tf.cast(large, "bfloat16"), 16, 16)
    assert not fusible(image, 16, 16) and not fusible(large, 16, 15)
    assert not large_fusible(large, kernel, 1) and not doubling_fusible(large, kernel[:4, :4])
    with inference():
        assert fusible(image, 16, 16) and fusible(tf.cast(image, "bfloat16"), 16, 16)
        assert not fusible(tf.cast(image, "float16"), 16, 16)
        assert large_fusible(image, kernel, 1) and large_fusible(image, kernel[..., :3, :], 2)
        with ops.portable():
            assert not fusible(image, 16, 16) and not large_fusible(image, kernel, 1)


def test_it_is_taken_only_where_it_pays():
    image, kernel = tf.zeros((1, 8, 8, 16)), tf.zeros((5, 5, 16, 16))
    with inference():
        assert fusible(image, 8, 2) and not fusible(image, 7, 16)
        assert not fusible(tf.cast(image, "bfloat16"), 15, 16)
        assert not large_fusible(image, kernel[..., :15], 1)
        assert not large_fusible(image, kernel[:3, :3], 2)
        few, many = tf.zeros((1, 5, 19, 2)), tf.zeros((2, 6, 8, 2))
        assert fusible(few, 1024, 512) and not fusible(few, 1024, 513) and fusible(many, 1024, 513)
        assert doubling_fusible(few, tf.zeros((4, 4, 128, 1024)))
        assert not doubling_fusible(few, tf.zeros((4, 4, 129, 1024)))
        assert not large_fusible(few, tf.zeros((5, 5, 256, 513)), 2)
        assert spaced_fusible(tf.zeros((1, 12, 13, 16)), 4, 2)
        assert not spaced_fusible(tf.zeros((1, 11, 13, 16)), 4, 2)
        assert not spaced_fusible(tf.zeros((1, 12, 13, 16)), 3, 2)


def test_wrong_shapes_are_refused():
    image, kernel, bias, slope = map(tf.constant, arrays(1, 8, 8, 16, 20))
    for wrong in (
        (image[..., :12], kernel, bias, slope),
        (image, kernel[:2], bias, slope),
        (image, kernel, bias[:3], slope),
        (image, kernel, bias, slope, image),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            fused_convolution(*wrong)
