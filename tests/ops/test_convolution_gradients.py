"""Gradients of the native 3 x 3 convolution: those of stock operations, at any size."""

import keras
import numpy as np
import pytest

from tests.gradients import to_numpy, value_and_gradients
from tests.ops.convolutions import arrays
from tfvfi import ops
from tfvfi.layers import Conv2D, ConvPReLU, Double, DoublePReLU, leaky_relu
from tfvfi.models.rife.blocks import ScaledResidual
from tfvfi.ops import native
from tfvfi.ops.convolution import fused_convolution

if keras.backend.backend() != "tensorflow" or not native.available():
    pytest.skip("the native operations are not there", allow_module_level=True)

import tensorflow as tf


def stock(image, kernel, bias, slope, *shortcut):
    """The fused convolution as a chain of TensorFlow's operations."""
    passed, convolved = image[..., : -kernel.shape[2]], image[..., -kernel.shape[2] :]
    sums = tf.nn.conv2d(convolved, kernel, 1, "SAME") + bias + sum(shortcut)
    return tf.concat([passed, tf.where(sums > 0, sums, slope * sums)], -1)


def random(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


def worst(found, expected):
    """The largest difference of each pair, divided by the largest value."""
    pairs = zip(found, expected, strict=True)
    return [np.abs(one - other).max() / (np.abs(other).max() or 1) for one, other in pairs]


@pytest.mark.parametrize(
    "shape",
    # Less than a tile, parts of tiles and of vectors, panels of every width, and several blocks.
    [
        (1, 4, 4, 16, 16),
        (2, 9, 30, 24, 24),
        (1, 1, 7, 17, 85),
        (1, 23, 2, 3, 5),
        (2, 1, 1, 1, 1),
        (1, 13, 14, 40, 35),
        (1, 5, 9, 300, 2),
        (2, 100, 90, 20, 20),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_the_stock_form(shape, compiled):
    inputs = arrays(*shape)
    upstream = random(*shape[:3], shape[4])
    expected, gradients = value_and_gradients(
        stock, [array.astype("float64") for array in inputs], upstream.astype("float64")
    )
    found = value_and_gradients(fused_convolution, inputs, upstream, compiled)
    assert max(worst([found[0], *found[1]], [expected, *gradients])) < 1e-5


def test_gradients_with_a_shortcut():
    inputs = [*arrays(2, 10, 7, 24, 20), random(2, 10, 7, 20)]
    upstream = random(2, 10, 7, 20)
    expected, gradients = value_and_gradients(stock, inputs, upstream)
    found = value_and_gradients(fused_convolution, inputs, upstream)
    assert max(worst([found[0], *found[1]], [expected, *gradients])) < 1e-5


def test_gradients_of_channels_that_pass():
    image, kernel, bias, slope = arrays(2, 10, 13, 24, 20)
    inputs = [np.concatenate([random(2, 10, 13, 7), image], -1), kernel, bias, slope]
    upstream = random(2, 10, 13, 27)
    expected, gradients = value_and_gradients(stock, inputs, upstream)
    found = value_and_gradients(fused_convolution, inputs, upstream)
    assert max(worst([found[0], *found[1]], [expected, *gradients])) < 1e-5


def test_gradients_in_bfloat16():
    image, *others = arrays(2, 9, 14, 24, 20)
    inputs = [tf.cast(image, "bfloat16"), *map(tf.constant, others)]
    upstream = tf.cast(random(2, 9, 14, 20), "bfloat16")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        found = fused_convolution(*inputs)
    gradients = tape.gradient(found, inputs, upstream)
    assert [each.dtype.name for each in gradients] == ["bfloat16", *["float32"] * 3]
    exact = [to_numpy(each) for each in (*inputs, upstream)]
    expected = value_and_gradients(stock, exact[:-1], exact[-1])
    # Values are rounded to 8 bits several times, and those near 0 can change their sign.
    for one, other in zip(gradients, expected[1], strict=True):
        error = np.sqrt(np.mean((to_numpy(one) - other) ** 2))
        assert error < 0.03 * np.sqrt(np.mean(other**2))


@pytest.mark.parametrize(
    "layer",
    [
        Conv2D(20),
        Conv2D(20, activation="relu"),
        Conv2D(24, activation=leaky_relu, use_bias=False),
        ConvPReLU(20),
        ScaledResidual(24),
        Double(20, activation=leaky_relu),
        DoublePReLU(20),
    ],
)
def test_layers_train_the_same_in_both_forms(layer):
    image = tf.constant(arrays(2, 18, 15, 24, 20)[0])
    layer(image)

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_sum(tf.square(layer(image)))
        return [each.numpy() for each in tape.gradient(loss, [image, *layer.trainable_variables])]

    found = gradients()
    with ops.portable():
        expected = gradients()
    assert max(worst(found, expected)) < 1e-5


def test_training_runs_the_native_gradient_and_lowers_the_loss():
    keras.utils.set_random_seed(0)
    layers = [ConvPReLU(16), ConvPReLU(16), Conv2D(16)]
    image, target = map(tf.constant, (random(2, 16, 16, 16), random(2, 16, 16, 16) / 2))
    optimizer = keras.optimizers.Adam(0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            maps = image
            for layer in layers:
                maps = layer(maps)
            loss = tf.reduce_mean(tf.square(maps - target))
        weights = [weight for layer in layers for weight in layer.trainable_variables]
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    for layer in layers:
        layer.build((None, None, None, 16))
    optimizer.build([weight for layer in layers for weight in layer.trainable_variables])
    losses = [float(step()) for _ in range(20)]
    assert losses[-1] < 0.6 * losses[0]
    graph = step.get_concrete_function().graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("TfvfiConvolutionKernelGradient") == 3
    assert not [kind for kind in kinds if kind.startswith("Conv2D")]
