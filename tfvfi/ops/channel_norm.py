"""The length of every pixel's vector of channels."""

from keras import ops

from tfvfi.ops import checks
from tfvfi.ops.tensor import Tensor


def channel_norm(image: Tensor) -> Tensor:
    """Square root of the sum of squares over the channels.

    The gradient is upstream * x / (norm + 1e-9), thus 0 and not NaN where all channels are 0.

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
    # The slope of the root at 0 is infinite, so the root is not asked there.
    positive = ops.where(square > 0, square, 1.0)
    return ops.where(square > 0, ops.sqrt(positive), 0.0)
