"""What a network costs on paper: parameters, and the operations of its convolutions."""

from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator, Network

# Side of the frames on which operations are counted; networks work in no more than one strip on it.
SIDE = 256


def parameters(network: Network) -> int:
    """How many numbers its weights are."""
    return sum(int(np.prod(variable.shape)) for variable in network.weights)


def gflop(network: Network, height: int, width: int) -> float:
    """Billions of operations for one frame, or one flow, of that size.

    Two for each multiplication with addition in convolutions, transposed ones and matrix products,
    and in correlation, local and separable convolution where those are compiled. Everything else
    (activations, warps, resizing) is left out, as papers do. Counted on 256 x 256 pixels and scaled
    to the size the network works at inside, padding included.
    """
    if not network.traceable:
        return float("nan")
    inside = [-(-side // network.multiple) * network.multiple for side in (height, width)]
    counted = sum(map(multiplications, _graph(network).get_operations()))
    return 2e-9 * counted * np.prod(inside, dtype=float) / SIDE**2


def _graph(network: Network) -> Any:
    import tensorflow as tf

    if SIDE % network.multiple:
        raise InputError(f"sizes of {network.name} divide by {network.multiple}, not by {SIDE}")
    keys = FlowEstimator.input_names if isinstance(network, FlowEstimator) else network.input_names
    specs = [
        tf.TensorSpec((1,) if key == "time" else (1, SIDE, SIDE, 3), tf.float32) for key in keys
    ]

    def main_output(*inputs: Any) -> Any:
        out = network(dict(zip(keys, inputs, strict=True)))
        return out["flow" if isinstance(network, FlowEstimator) else "frame"]

    return tf.function(main_output, autograph=False).get_concrete_function(*specs).graph


def multiplications(operation: Any) -> int:
    """How often an operation multiplies and adds."""
    shapes = [tuple(each.shape) for each in (*operation.inputs, *operation.outputs)]
    values = int(np.prod(shapes[-1])) if shapes and None not in shapes[-1] else 0
    if operation.type == "Conv2D":
        rows, columns, channels, _ = shapes[1]
        return values * rows * columns * channels
    if operation.type == "Conv2DBackpropInput":
        # A transposed convolution: sizes, kernel, image; every pixel of the image is spread out.
        return int(np.prod(shapes[2])) * int(np.prod(shapes[1][:3]))
    if operation.type == "MatMul":
        return values * shapes[0][0 if operation.get_attr("transpose_a") else 1]
    if operation.type == "TfvfiCorrelation":
        return values * shapes[0][-1] * operation.get_attr("kernel_size") ** 2
    if operation.type == "TfvfiLocalConvolution":
        return values * int(np.prod(shapes[1][3:]))
    if operation.type == "TfvfiSeparableConvolution":
        taps = shapes[1][-1]
        return values * taps * (taps + 1)
    return 0
