"""The Euclidean norm of every pixel's channels."""

from keras import ops

from tfvfi.ops import checks
from tfvfi.ops.tensor import Tensor


def channel_norm(image: Tensor) -> Tensor:
    """Returns the square root of the sum of squares over the channels.

    The gradient is upstream * x / norm, and 0 rather than NaN where all channels are 0.

    Args:
        image: [N, H, W, C], floating point.

    Returns:
        [N, H, W, 1] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> float(tfvfi.ops.channel_norm(np.array([[[[3, 4]]]], "float32"))[0, 0, 0, 0])
        5.0
    """
    image = checks.float_tensor(image, "image")
    square = ops.sum(ops.square(image), axis=-1, keepdims=True)
    # The derivative of the root is infinite at 0, so the root is never taken of 0.
    positive = ops.where(square > 0, square, 1.0)
    return ops.where(square > 0, ops.sqrt(positive), 0.0)
