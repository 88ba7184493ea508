"""How a published array is laid out in a Keras variable.

It follows from the variable: PyTorch's kernels (out, in, height, width) and those of its transposed
convolutions (in, out, height, width) are reversed behind their sides, the same permutation for
both; other arrays may differ by axes of length 1 alone.
"""

import numpy as np


def arranged(values: np.ndarray, path: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """A published array as the variable at that path wants it; None if it does not fit."""
    if _is_kernel(path, shape):
        values = values.transpose(*range(2, values.ndim), 1, 0) if values.ndim > 1 else values
        return values if values.shape == shape else None
    return values.reshape(shape) if _long_axes(values.shape) == _long_axes(shape) else None


def published_shape(path: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which the array of a variable is published."""
    return (*shape[:-3:-1], *shape[:-2]) if _is_kernel(path, shape) else shape


def as_published(name: str, values: np.ndarray) -> np.ndarray:
    """An array of Keras, whose kernels are (height, width, in, out), as PyTorch has it."""
    if _is_kernel(name, values.shape):
        return values.transpose(-1, -2, *range(values.ndim - 2))
    return values


def _is_kernel(path: str, shape: tuple[int, ...]) -> bool:
    return path.endswith("kernel") and len(shape) > 1


def _long_axes(shape: tuple[int, ...]) -> list[int]:
    return [side for side in shape if side != 1]
