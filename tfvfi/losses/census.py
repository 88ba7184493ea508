"""The census loss: compares how pixels differ from their neighbors, whatever the brightness."""

from typing import Any

from keras import ops


def census(image: Any, target: Any, patch: int = 7) -> Any:
    """Census distance of two images' gray values; no gradient reaches the target.

    Pixels whose patch leaves the image count as zero.

    Args:
        image: (B, H, W, C) in [0, 1].
        target: The same of the true image.
        patch: Side of the square of neighbors, odd.
    """
    gray, gray_target = (ops.mean(each, axis=-1, keepdims=True) for each in (image, target))
    return census_distance(gray, ops.stop_gradient(gray_target), patch)


def census_distance(x: Any, y: Any, patch: int) -> Any:
    """Mean distance of the census transforms of all channels, with gradients to both."""
    square = ops.square(census_transform(x, patch) - census_transform(y, patch))
    distance = ops.mean(square / (0.1 + square), axis=-1)
    border = patch // 2
    inside = distance[:, border:-border, border:-border]
    return ops.sum(inside) / ops.cast(ops.size(distance), inside.dtype)


def census_transform(image: Any, patch: int) -> Any:
    """How every pixel's neighbors differ from it, squeezed into (-1, 1).

    Args:
        image: (B, H, W, C); beyond its border everything is 0.
        patch: Side of the square of neighbors, odd.

    Returns:
        (B, H, W, C * patch^2): for each channel the neighbors row by row.
    """
    shape = ops.shape(image)
    height, width, channels = shape[1:]
    border = (patch // 2, patch // 2)
    padded = ops.pad(image, ((0, 0), border, border, (0, 0)))
    neighbors = ops.stack(
        [
            padded[:, row : row + height, column : column + width]
            for row in range(patch)
            for column in range(patch)
        ],
        axis=-1,
    )
    difference = neighbors - image[..., None]
    squeezed = difference / ops.sqrt(0.81 + ops.square(difference))
    return ops.reshape(squeezed, (-1, height, width, channels * patch**2))
