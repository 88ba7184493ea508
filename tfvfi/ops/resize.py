"""Resizing with PyTorch's rules, for sizes that may be known only at run time."""

import math

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import checks, native
from tfvfi.ops.tensor import Tensor

METHODS = ("bilinear", "nearest")


def resize(
    image: Tensor, size_or_scale: Tensor, align_corners: bool = False, method: str = "bilinear"
) -> Tensor:
    """Returns an image resized by interpolation without antialiasing, as in PyTorch.

    A factor s gives floor(n * s) pixels, and pixel i is read at (i + 0.5) / s - 0.5. A size m gives
    m pixels, and pixel i is read at (i + 0.5) * n / m - 0.5. With `align_corners` the outermost
    pixels keep their positions instead: pixel i is read at i * (n - 1) / (m - 1). Positions beyond
    the frame are moved to its edge. "nearest" reads pixel floor(i / s), or floor(i * n / m).

    Args:
        image: [N, H, W, C], floating point.
        size_or_scale: One factor, or (height, width) as whole numbers or scalar tensors.
        align_corners: Whether the outermost pixels keep their positions; bilinear only.
        method: "bilinear" or "nearest".

    Returns:
        [N, height, width, C] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.array([0, 4], "float32").reshape(1, 1, 2, 1)
        >>> np.ravel(tfvfi.ops.resize(image, (1, 4)))
        array([0., 1., 3., 4.], dtype=float32)
    """
    image = checks.float_tensor(image, "image")
    checks.one_of(method, METHODS, "method")
    if align_corners and method == "nearest":
        raise InputError("`align_corners` needs method='bilinear'. Received: method='nearest'.")
    _, height, width, _ = ops.shape(image)
    if isinstance(size_or_scale, int | float):
        scale_y = scale_x = _checked(size_or_scale, size_or_scale)
        new_height, new_width = _scaled(height, scale_y), _scaled(width, scale_x)
    elif isinstance(size_or_scale, tuple | list) and len(size_or_scale) == 2:
        new_height, new_width = (_checked(size, size_or_scale) for size in size_or_scale)
        scale_y, scale_x = _ratio(new_height, height), _ratio(new_width, width)
    else:
        raise _complaint(size_or_scale)
    if method == "bilinear" and native.usable(image):
        return native.resize(
            image, new_height, new_width, scale_y, scale_x, align_corners=align_corners
        )
    axes = [(2, new_width, scale_x), (1, new_height, scale_y)]
    if isinstance(scale_y, int | float) and scale_y < 1:
        # Reading rows is cheaper, so rows come first when they shrink and last otherwise.
        axes.reverse()
    resized = image
    for axis, size, scale in axes:
        resized = _resize_axis(resized, axis, size, scale, align_corners, method)
    return resized


def _resize_axis(image, axis, size, scale, align_corners, method):
    old = ops.shape(image)[axis]
    if isinstance(scale, int | float) and scale == 1:
        return image
    if method == "nearest":
        if _is_whole(scale):
            return ops.repeat(image, int(scale), axis=axis)
        position = ops.floor(_pixels(size) / scale)
        return ops.take(image, ops.minimum(ops.cast(position, "int32"), old - 1), axis=axis)
    if align_corners:
        position = _pixels(size) * _spacing(old, size)
    else:
        position = ops.maximum((_pixels(size) + 0.5) / scale - 0.5, 0.0)
    low = ops.minimum(ops.cast(ops.floor(position), "int32"), old - 1)
    fraction = ops.clip(position - ops.cast(low, "float32"), 0.0, 1.0)
    fraction = ops.reshape(fraction, [-1 if at == axis else 1 for at in range(4)])
    first = ops.cast(ops.take(image, low, axis=axis), "float32")
    second = ops.cast(ops.take(image, ops.minimum(low + 1, old - 1), axis=axis), "float32")
    return ops.cast(first * (1.0 - fraction) + second * fraction, image.dtype)


def _scaled(size, scale):
    if isinstance(size, int):
        return _checked(math.floor(size * scale), scale)
    if _is_whole(scale):
        return size * int(scale)
    # PyTorch uses float64 here; in float32, 0.1 * 30 would not give 3.
    return ops.cast(ops.floor(ops.cast(size, "float64") * scale), "int32")


def _ratio(new, old):
    if isinstance(new, int) and isinstance(old, int):
        return new / old
    return ops.cast(new, "float32") / ops.cast(old, "float32")


def _spacing(old, new):
    last = ops.cast(new, "float32") - 1.0
    return (ops.cast(old, "float32") - 1.0) / ops.maximum(last, 1.0)


def _pixels(size):
    return ops.cast(ops.arange(size, dtype="int32"), "float32")


def _is_whole(scale):
    return isinstance(scale, int | float) and scale == int(scale)


def _checked(value, received):
    """Returns a factor or size that is positive, as far as it is known before run time."""
    if isinstance(value, int | float) and not 0 < value < math.inf:
        raise _complaint(received)
    return value


def _complaint(received):
    return InputError(
        "`size_or_scale` must be one positive factor or a (height, width) of positive whole "
        f"numbers that leaves at least one pixel. Received: {received}."
    )
