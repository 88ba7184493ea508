"""Gradients of images towards all eight neighbors, which the loss of AdaConv compares."""

from keras import ops

from tfvfi.ops.tensor import Tensor

NEIGHBORS = tuple(
    (row, column) for row in range(3) for column in range(3) if (row, column) != (1, 1)
)


def neighbor_differences(image: Tensor) -> Tensor:
    """Returns the eight neighbors of each inner pixel minus the pixel.

    Args:
        image: (B, H, W, C).

    Returns:
        (B, H - 2, W - 2, 8 C).

    Example:
        >>> import numpy as np, tfvfi
        >>> ramp = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> tfvfi.losses.neighbor_differences(ramp)[0, 0, 0].numpy().tolist()
        [-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0]
    """
    _, height, width, _ = ops.shape(image)
    inner = image[:, 1:-1, 1:-1]
    return ops.concatenate(
        [
            image[:, row : row + height - 2, column : column + width - 2] - inner
            for row, column in NEIGHBORS
        ],
        axis=-1,
    )
