"""Convolution with a separate kernel at every pixel."""

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import checks, native
from tfvfi.ops.shift import rows_within
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor

# Internally, images are [N, C, H, W] and a row of taps is [taps, N, 1, H, W]. Each tap is then one
# contiguous plane, and planes multiply many times faster than scattered values.


def separable_convolution(image: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Returns the sum over i, j of image[y + i, x + j] * vertical[y, x, i] * horizontal[y, x, j].

    The kernel is neither flipped nor normalized, and it is the same for all channels.

    Args:
        image: [N, H + Kv - 1, W + Kh - 1, C], already padded, floating point.
        vertical: [N, H, W, Kv].
        horizontal: [N, H, W, Kh].

    Returns:
        [N, H, W, C] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.ones((1, 6, 8, 3), "float32")
        >>> taps = np.full((1, 4, 6, 3), 1 / 3, "float32")
        >>> tuple(tfvfi.ops.separable_convolution(image, taps, taps).shape)
        (1, 4, 6, 3)
    """
    image = checks.float_tensor(image, "image")
    vertical = checks.float_tensor(vertical, "vertical")
    horizontal = checks.float_tensor(horizontal, "horizontal")
    checks.same_frame(vertical, horizontal, "`vertical` and `horizontal`")
    taps = vertical.shape[-1], horizontal.shape[-1]
    _check_padded(image, vertical, taps)
    if native.usable(image, vertical, horizontal):
        return native.separable_convolution(image, vertical, horizontal)
    planes = [_to_planes(part) for part in (image, vertical, horizontal)]
    filtered = _separable(*taps)(planes[0], _taps_first(planes[1]), _taps_first(planes[2]))
    return ops.cast(ops.transpose(filtered, (0, 2, 3, 1)), image.dtype)


def local_convolution(image: Tensor, kernels: Tensor) -> Tensor:
    """Returns the sum over i, j of image[y + i, x + j] * kernels[y, x, i, j].

    The kernel is neither flipped nor normalized, and it is the same for all channels.

    Args:
        image: [N, H + Kh - 1, W + Kw - 1, C], already padded, floating point.
        kernels: [N, H, W, Kh, Kw].

    Returns:
        [N, H, W, C] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.ones((1, 6, 8, 3), "float32")
        >>> kernels = np.full((1, 4, 6, 3, 3), 1 / 9, "float32")
        >>> tuple(tfvfi.ops.local_convolution(image, kernels).shape)
        (1, 4, 6, 3)
    """
    image = checks.float_tensor(image, "image")
    kernels = checks.float_tensor(kernels, "kernels", rank=5)
    taps = tuple(kernels.shape[-2:])
    _check_padded(image, kernels, taps)
    if native.usable(image, kernels):
        return native.local_convolution(image, kernels)
    filtered = _local(*taps)(_to_planes(image), ops.cast(kernels, "float32"))
    return ops.cast(ops.transpose(filtered, (0, 2, 3, 1)), image.dtype)


def _check_padded(image, kernels, taps):
    if None in taps or 0 in taps:
        raise InputError(f"the number of taps must be known and positive. Received: {taps}.")
    received = f"Received: image {tuple(image.shape)} and kernels {tuple(kernels.shape)}."
    more = (1, *taps)
    padded = tuple(
        None if size is None else size + extra - 1
        for size, extra in zip(kernels.shape[:3], more, strict=True)
    )
    for expected, actual in zip(padded, image.shape[:3], strict=True):
        if expected is not None and actual is not None and expected != actual:
            raise InputError(
                f"`image` must be padded by one pixel less than the {taps[0]} x {taps[1]} taps, "
                f"to {padded} in batch, height and width. {received}"
            )


def _separable(row_count, column_count):
    @ops.custom_gradient
    def convolve(image, vertical, horizontal):
        @in_order()
        def add_row(row, total):
            band = _band(image, row, row_count)
            return total + ops.take(vertical, row, axis=0) * _blend(band, horizontal)

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream

            @in_order()
            def add_gradients(row, totals):
                image_gradient, horizontal_gradient = totals
                band = _band(image, row, row_count)
                weighed = upstream * ops.take(vertical, row, axis=0)
                image_gradient += rows_within(
                    _band_gradient(horizontal, weighed), row, row_count - 1, axis=2
                )
                horizontal_gradient += _taps_gradient(band, column_count, weighed)
                return image_gradient, horizontal_gradient

            @in_order()
            def of_vertical(row):
                blend = _blend(_band(image, row, row_count), horizontal)
                return ops.sum(upstream * blend, axis=1, keepdims=True)

            zeros = ops.zeros_like(image), ops.zeros_like(horizontal)
            image_gradient, horizontal_gradient = ops.fori_loop(0, row_count, add_gradients, zeros)
            vertical_gradient = ops.map(of_vertical, ops.arange(row_count, dtype="int32"))
            return image_gradient, vertical_gradient, horizontal_gradient

        zeros = _output_zeros(image, row_count, column_count)
        return ops.fori_loop(0, row_count, add_row, zeros), gradient

    return convolve


def _local(row_count, column_count):
    @ops.custom_gradient
    def convolve(image, kernels):
        def row_of_taps(row):
            return _taps_first(ops.transpose(ops.take(kernels, row, axis=3), (0, 3, 1, 2)))

        @in_order()
        def add_row(row, total):
            return total + _blend(_band(image, row, row_count), row_of_taps(row))

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream

            @in_order()
            def add_gradient(row, image_gradient):
                band_gradient = _band_gradient(row_of_taps(row), upstream)
                return image_gradient + rows_within(band_gradient, row, row_count - 1, axis=2)

            @in_order()
            def of_row(row):
                return _taps_gradient(_band(image, row, row_count), column_count, upstream)

            zeros = ops.zeros_like(image)
            image_gradient = ops.fori_loop(0, row_count, add_gradient, zeros)
            kernels_gradient = ops.map(of_row, ops.arange(row_count, dtype="int32"))
            # From [Kh, Kw, N, 1, H, W] to [N, H, W, Kh, Kw].
            kernels_gradient = ops.transpose(kernels_gradient[:, :, :, 0], (2, 3, 4, 0, 1))
            return image_gradient, kernels_gradient

        zeros = _output_zeros(image, row_count, column_count)
        return ops.fori_loop(0, row_count, add_row, zeros), gradient

    return convolve


def _band(image, row, row_count):
    """Returns the rows of the padded image that one row of taps is applied to."""
    batch, channels, height, width = ops.shape(image)
    return ops.slice(image, (0, 0, row, 0), (batch, channels, height - row_count + 1, width))


def _blend(band, taps):
    width = ops.shape(taps)[-1]
    return sum(band[..., column : column + width] * taps[column] for column in range(taps.shape[0]))


def _band_gradient(taps, upstream):
    count = taps.shape[0]
    return sum(
        ops.pad(upstream * taps[column], ((0, 0), (0, 0), (0, 0), (column, count - 1 - column)))
        for column in range(count)
    )


def _taps_gradient(band, count, upstream):
    width = ops.shape(upstream)[-1]
    return ops.stack(
        [
            ops.sum(upstream * band[..., column : column + width], axis=1, keepdims=True)
            for column in range(count)
        ]
    )


def _output_zeros(image, row_count, column_count):
    _, _, height, width = ops.shape(image)
    return ops.zeros_like(image[:, :, : height - row_count + 1, : width - column_count + 1])


def _to_planes(image):
    return ops.transpose(ops.cast(image, "float32"), (0, 3, 1, 2))


def _taps_first(planes):
    """Returns [N, K, H, W] as [K, N, 1, H, W]."""
    return ops.expand_dims(ops.transpose(planes, (1, 0, 2, 3)), 2)
