"""Gradients on whichever Keras backend runs the tests."""

from collections.abc import Callable, Sequence

import keras
import numpy as np


def value_and_gradients(
    function: Callable,
    arguments: Sequence[np.ndarray],
    upstream: np.ndarray,
    compiled: bool = False,
    unknown: Sequence[int] = (),
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value of a function, and the gradient of sum(value * upstream) to each argument.

    Args:
        function: Takes tensors, returns one tensor.
        arguments: Its arguments; each gets a gradient.
        upstream: The gradient that reaches the value.
        compiled: Whether to trace it (`tf.function`, `jax.jit`); PyTorch has no such thing here.
        unknown: Dimensions of all arguments whose size a TensorFlow trace is not told.
    """
    backend = keras.backend.backend()
    value, gradients = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend](
        function, [np.asarray(argument) for argument in arguments], upstream, compiled, unknown
    )
    return to_numpy(value), [to_numpy(gradient) for gradient in gradients]


def to_numpy(tensor) -> np.ndarray:
    """A tensor as an array, bfloat16 and float16 as float32."""
    if keras.ops.dtype(tensor) in ("bfloat16", "float16"):
        tensor = keras.ops.cast(tensor, "float32")
    return keras.ops.convert_to_numpy(tensor)


def _tensorflow(function, arguments, upstream, compiled, unknown):
    import tensorflow as tf

    def both(upstream, *tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        unconnected = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(
            value, tensors, tf.cast(upstream, value.dtype), unconnected_gradients=unconnected
        )
        return value, [tf.convert_to_tensor(gradient) for gradient in gradients]

    tensors = [tf.convert_to_tensor(argument) for argument in arguments]
    upstream = tf.convert_to_tensor(upstream)
    if compiled:
        specs = []
        for tensor in (upstream, *tensors):
            sizes = [None if at in unknown else size for at, size in enumerate(tensor.shape)]
            specs.append(tf.TensorSpec(sizes, tensor.dtype))
        both = tf.function(both, input_signature=specs, autograph=False)
    return both(upstream, *tensors)


def _jax(function, arguments, upstream, compiled, unknown):
    import jax

    def both(upstream, *tensors):
        value, pull = jax.vjp(function, *tensors)
        return value, pull(upstream.astype(value.dtype))

    both = jax.jit(both) if compiled else both
    return both(jax.numpy.asarray(upstream), *map(jax.numpy.asarray, arguments))


def _torch(function, arguments, upstream, compiled, unknown):
    import torch

    tensors = [torch.tensor(argument, requires_grad=True) for argument in arguments]
    value = function(*tensors)
    gradients = torch.autograd.grad(
        value, tensors, torch.tensor(upstream).to(value.dtype), allow_unused=True
    )
    pairs = zip(tensors, gradients, strict=True)
    gradients = [torch.zeros_like(t) if gradient is None else gradient for t, gradient in pairs]
    return value.detach(), gradients
