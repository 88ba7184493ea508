"""The theoretical cost of a network: its parameters and the operations of its convolutions."""

from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator, Network

# Side of the frames on which operations are counted, on which no network splits its work into
# strips.
SIDE = 256


def parameters(network: Network) -> int:
    """Returns the number of parameters of a network."""
    return sum(int(np.prod(variable.shape)) for variable in network.weights)


def gflop(network: Network, height: int, width: int) -> float:
    """Returns billions of operations for one frame, or one flow, of the given size.

    A multiplication with an addition counts as two operations. Counted are convolutions, transposed
    convolutions and matrix products, and also correlation, local and separable convolution if they
    are compiled. Everything else (activations, warps, resizing) is omitted, as in papers. The count
    for 256 x 256 pixels is scaled to the padded size of the frames.

    Args:
        network: The network.
        height: The height of the frames.
        width: The width of the frames.

    Returns:
        The operations, or NaN for a network that cannot be traced.
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
    """Returns the number of multiplications with addition in a TensorFlow operation."""
    tensors = (*operation.inputs, *operation.outputs)
    # Some native operations do not know the shape of their result.
    shapes = [() if each.shape.rank is None else tuple(each.shape) for each in tensors]
    values = int(np.prod(shapes[-1])) if shapes and None not in shapes[-1] else 0
    if operation.type == "Conv2D":
        rows, columns, channels, _ = shapes[1]
        return values * rows * columns * channels
    if operation.type == "TfvfiConvolution":
        return int(np.prod(shapes[0][:3])) * int(np.prod(shapes[1]))
    if operation.type == "Conv2DBackpropInput":
        # The inputs of a transposed convolution are sizes, kernel and image. The kernel is applied
        # to every pixel of the image.
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
