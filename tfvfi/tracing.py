"""Compiles functions for inference on each Keras backend."""

from collections.abc import Callable
from typing import Any

import keras

from tfvfi.ops.dispatch import inference
from tfvfi.ops.sums import in_order


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a faster form of a function that computes no gradients.

    On TensorFlow it is one graph for all sizes, and on PyTorch the function without gradients. On
    JAX the function is returned unchanged, because tracing would turn the weights into constants.

    Args:
        function: Takes and returns tensors, or nests of them, and may read Keras variables.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        def without_gradients(*inputs: Any) -> Any:
            with inference(), in_order():
                return function(*inputs)

        return tf.function(without_gradients, autograph=False, reduce_retracing=True)
    if keras.backend.backend() == "torch":
        import torch

        return torch.no_grad()(function)
    return function
