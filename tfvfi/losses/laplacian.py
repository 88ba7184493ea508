"""Laplacian pyramid losses, which compare two images scale by scale."""

import numpy as np
from keras import ops

from tfvfi import images
from tfvfi.ops import resize
from tfvfi.ops.tensor import Tensor

# The 5 x 5 binomial filter with which Burt and Adelson smooth before they drop pixels.
TAPS = np.array([1, 4, 6, 4, 1], "float32") / 16


def laplacian(image: Tensor, target: Tensor, levels: int = 5) -> Tensor:
    """Returns the sum over levels i = 1, 2, ... of 2^(i-1) times their absolute differences.

    Each level holds the detail between two sizes, and the last and smallest one holds the
    remainder. A level has a quarter of the pixels of the level before it, which the factor
    compensates in part, as in Niklaus and Liu (CVPR 2018 and 2020). Unlike theirs, the sum is
    divided by the number of values of the image, so that the loss does not depend on its size.

    Args:
        image: (B, H, W, C).
        target: The true image, of the same shape.
        levels: The number of levels.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.random.default_rng(0).uniform(size=(1, 64, 64, 3)).astype("float32")
        >>> float(tfvfi.losses.laplacian(image, image))
        0.0
    """
    # The pyramid is linear, so the pyramid of the difference is the difference of the pyramids.
    pyramid = laplacian_pyramid(image - target, levels)
    values = ops.cast(ops.size(pyramid[0]), "float32")
    return sum(2.0**at * ops.sum(ops.abs(level)) for at, level in enumerate(pyramid)) / values


def laplacian_mean(image: Tensor, target: Tensor, levels: int = 5) -> Tensor:
    """Returns the sum over levels of the mean absolute difference, the form of RIFE's authors.

    Unlike in `laplacian`, all levels have the same weight, the remainder at the smallest size does
    not count, borders are mirrored, and levels are enlarged with the smoothing filter.

    Args:
        image: (B, H, W, C), with sides of at least 3 at every level.
        target: The true image, of the same shape.
        levels: The number of levels.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.random.default_rng(0).uniform(size=(1, 64, 64, 3)).astype("float32")
        >>> float(tfvfi.losses.laplacian_mean(image, image))
        0.0
    """
    difference = image - target
    total = 0.0
    for _ in range(levels):
        smaller = _smooth(difference, "reflect")[:, ::2, ::2]
        height, width = images.size(difference)
        detail = difference - _enlarged(smaller)[:, :height, :width]
        total = total + ops.mean(ops.abs(detail))
        difference = smaller
    return total


def laplacian_pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """Returns the levels of the pyramid from fine to coarse.

    The image is their sum when each is enlarged in turn and added to the next finer one.

    Args:
        image: (B, H, W, C), of any size.
        levels: The number of levels. The last one is the image itself at the smallest size.
    """
    pyramid = []
    for _ in range(levels - 1):
        smaller = _smooth(image)[:, ::2, ::2]
        pyramid.append(image - resize(smaller, images.size(image)))
        image = smaller
    return [*pyramid, image]


def _enlarged(image: Tensor) -> Tensor:
    """Returns the image at twice its size, with zeros inserted between pixels and smoothed."""
    batch, height, width, channels = ops.shape(image)
    spread = ops.reshape(4 * image, (batch, height, 1, width, 1, channels))
    spread = ops.pad(spread, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 1), (0, 0)))
    return _smooth(ops.reshape(spread, (batch, 2 * height, 2 * width, channels)), "reflect")


def _smooth(image: Tensor, border: str = "edge") -> Tensor:
    """Returns the image without the detail that is lost at half its size.

    Args:
        image: (B, H, W, C).
        border: How the image continues beyond its border, "edge" or "reflect".
    """
    channels = image.shape[-1]
    if border == "reflect":
        padded = ops.pad(image, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    else:
        padded = images.pad_edge(image, (2, 2, 2, 2))
    for shape in ((5, 1, 1, 1), (1, 5, 1, 1)):
        kernel = np.tile(TAPS.reshape(shape), (1, 1, channels, 1))
        padded = ops.depthwise_conv(padded, ops.convert_to_tensor(kernel))
    return padded
