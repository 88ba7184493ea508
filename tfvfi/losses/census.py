"""The census loss compares how pixels differ from their neighbors, regardless of brightness."""

import numpy as np
from keras import ops

from tfvfi.ops.tensor import Tensor


def census(image: Tensor, target: Tensor, patch: int = 7) -> Tensor:
    """Returns the census distance of the gray values of two images.

    No gradient flows to the target. Pixels whose patch extends beyond the image count as zero.

    Args:
        image: (B, H, W, C) in [0, 1].
        target: The true image, of the same shape.
        patch: Side of the square of neighbors, odd.
    """
    gray, gray_target = (ops.mean(each, axis=-1, keepdims=True) for each in (image, target))
    return census_distance(gray, ops.stop_gradient(gray_target), patch)


def census_distance(x: Tensor, y: Tensor, patch: int) -> Tensor:
    """Returns the mean census distance over all channels, with gradients to both inputs."""
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
