"""The Laplacian pyramid loss: what two images differ in, scale by scale."""

import numpy as np
from keras import ops

from tfvfi import images
from tfvfi.ops import resize
from tfvfi.ops.tensor import Tensor

# The binomial filter of 5 x 5, with which Burt and Adelson smooth before they leave out pixels.
TAPS = np.array([1, 4, 6, 4, 1], "float32") / 16


def laplacian(image: Tensor, target: Tensor, levels: int = 5) -> Tensor:
    """Sum over levels i = 1, 2, ... of 2^(i-1) times the absolute differences, a value.

    A level holds the detail between two sizes; the last one, the smallest, what is left. Each has
    a quarter of the pixels of the one before, for which the factor makes up in part, as in
    Niklaus and Liu (CVPR 2018 and 2020). What they sum up is divided by the number of values of
    the image, so that the loss does not depend on its size.

    Args:
        image: (B, H, W, C).
        target: The same of the true image.
        levels: How many.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.random.default_rng(0).uniform(size=(1, 64, 64, 3)).astype("float32")
        >>> float(tfvfi.losses.laplacian(image, image))
        0.0
    """
    # The pyramid is linear: that of the difference is the difference of the two.
    pyramid = laplacian_pyramid(image - target, levels)
    values = ops.cast(ops.size(pyramid[0]), "float32")
    return sum(2.0**at * ops.sum(ops.abs(level)) for at, level in enumerate(pyramid)) / values


def laplacian_pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """Details from fine to coarse; they add up to the image when each is enlarged.

    Args:
        image: (B, H, W, C), of any size.
        levels: How many; the last is the image itself at its smallest size.
    """
    pyramid = []
    for _ in range(levels - 1):
        smaller = _smooth(image)[:, ::2, ::2]
        pyramid.append(image - resize(smaller, images.size(image)))
        image = smaller
    return [*pyramid, image]


def _smooth(image: Tensor) -> Tensor:
    """The image without the detail that half its size cannot hold; its border is repeated."""
    channels = image.shape[-1]
    padded = images.pad_edge(image, (2, 2, 2, 2))
    for shape in ((5, 1, 1, 1), (1, 5, 1, 1)):
        kernel = np.tile(TAPS.reshape(shape), (1, 1, channels, 1))
        padded = ops.depthwise_conv(padded, ops.convert_to_tensor(kernel))
    return padded
