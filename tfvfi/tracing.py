"""The one place that knows how each Keras backend compiles a function for inference."""

from collections.abc import Callable
from typing import Any

import keras

from tfvfi.ops.dispatch import inference
from tfvfi.ops.sums import in_order


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A faster `function`: one graph for every size on TensorFlow, no gradients on PyTorch.

    On JAX the function stays as it is: a traced one would hold the weights as constants.

    Args:
        function: Takes and returns tensors, or nests of them; reads Keras variables freely.
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
