"""Converts arrays between the layouts of PyTorch and Keras.

The layout follows from the Keras variable. PyTorch's kernels (out, in, height, width) and those of
its transposed convolutions (in, out, height, width) are converted by the same permutation, which
moves the sides to the front and swaps the other two axes. Other arrays may differ only by axes of
length 1.
"""

import numpy as np


def arranged(values: np.ndarray, path: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Returns a published array in the layout of a variable, or None if it does not fit.

    Args:
        values: The published array.
        path: The path of the variable.
        shape: The shape of the variable.
    """
    if _is_kernel(path, shape):
        values = values.transpose(*range(2, values.ndim), 1, 0) if values.ndim > 1 else values
        return values if values.shape == shape else None
    return values.reshape(shape) if _long_axes(values.shape) == _long_axes(shape) else None


def published_shape(path: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape in which the array of a variable is published."""
    return (*shape[:-3:-1], *shape[:-2]) if _is_kernel(path, shape) else shape


def as_published(name: str, values: np.ndarray) -> np.ndarray:
    """Returns an array of Keras in PyTorch's layout; its kernels are (height, width, in, out)."""
    if _is_kernel(name, values.shape):
        return values.transpose(-1, -2, *range(values.ndim - 2))
    return values


def _is_kernel(path: str, shape: tuple[int, ...]) -> bool:
    return path.endswith("kernel") and len(shape) > 1


def _long_axes(shape: tuple[int, ...]) -> list[int]:
    return [side for side in shape if side != 1]
