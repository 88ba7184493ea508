"""The census distance, which compares how pixels differ from their neighbors."""

import numpy as np
from keras import ops

from tfvfi.ops import native
from tfvfi.ops.tensor import Tensor


def census_distance(x: Tensor, y: Tensor, patch: int) -> Tensor:
    """Returns the mean census distance over all channels, with gradients to both inputs.

    Pixels whose patch extends beyond the image count as zero.

    Args:
        x: [N, H, W, C], float32.
        y: [N, H, W, C], float32.
        patch: Side of the square of neighbors, odd.
    """
    if native.usable(x, y):
        return native.census(x, y, patch)
    square = ops.square(census_transform(x, patch) - census_transform(y, patch))
    distance = ops.mean(square / (0.1 + square), axis=-1)
    border = patch // 2
    inside = distance[:, border:-border, border:-border]
    return ops.sum(inside) / ops.cast(ops.size(distance), inside.dtype)


def census_transform(image: Tensor, patch: int) -> Tensor:
    """Returns the differences of every pixel's neighbors from it, squeezed into (-1, 1).

    Args:
        image: (B, H, W, C). Pixels beyond its border are taken as 0.
        patch: Side of the square of neighbors, odd.

    Returns:
        (B, H, W, C * patch^2), which holds for each channel the neighbors row by row.
    """
    _, height, width, channels = ops.shape(image)
    # Channels are treated as separate images. One-hot kernels select the neighbors, because the
    # gradient of one convolution is cheaper than that of patch^2 slices.
    planes = ops.reshape(ops.transpose(image, (0, 3, 1, 2)), (-1, height, width, 1))
    kernels = np.eye(patch**2).reshape(patch, patch, 1, patch**2)
    difference = ops.conv(planes, ops.cast(kernels, image.dtype), padding="same") - planes
    squeezed = difference / ops.sqrt(0.81 + ops.square(difference))
    squeezed = ops.reshape(squeezed, (-1, channels, height, width, patch**2))
    squeezed = ops.transpose(squeezed, (0, 2, 3, 1, 4))
    return ops.reshape(squeezed, (-1, height, width, channels * patch**2))
