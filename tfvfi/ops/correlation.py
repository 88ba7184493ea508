"""Cost volumes, which measure how well a pixel matches the pixels around it in another map."""

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import checks, native
from tfvfi.ops.shift import rows_within
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor


def correlation(
    a: Tensor,
    b: Tensor,
    max_displacement: int = 4,
    stride: int = 1,
    kernel_size: int = 1,
    output_stride: int = 1,
    padding: int | None = None,
) -> Tensor:
    """Returns the mean over channels of a[y, x] * b[y + dy, x + dx] for all displacements.

    If `kernel_size` is above 1, the mean is also over a window of pixels. Both maps are zero
    outside, which does not change the divisor. Displacements are multiples of `stride` up to
    `max_displacement` in both directions, 2r + 1 of them on each axis with
    r = max_displacement // stride. Channel (dy / stride + r) * (2r + 1) + dx / stride + r of the
    result belongs to (dy, dx).

    Args:
        a: [N, H, W, C], floating point. This map stays in place.
        b: A tensor of the same shape. This map is displaced.
        max_displacement: The largest displacement, in pixels.
        stride: Step between displacements (FlowNet2's stride2).
        kernel_size: Side of the window, odd.
        output_stride: Step between the compared pixels (FlowNet2's stride1).
        padding: None compares windows centered on pixels 0, output_stride, ... of `a`, up to its
            edge. A number selects FlowNet2's layout for maps with that padding: the first window
            is centered on pixel max_displacement - padding, and there are
            ceil((H + 2 (padding - max_displacement - kernel_size // 2)) / output_stride) rows.

    Returns:
        [N, H', W', (2r + 1)^2] of the type of `a`.

    Example:
        >>> import numpy as np, tfvfi
        >>> a = np.ones((1, 5, 5, 8), "float32")
        >>> tuple(tfvfi.ops.correlation(a, a, max_displacement=1).shape)
        (1, 5, 5, 9)
    """
    a = checks.float_tensor(a, "a")
    b = checks.float_tensor(b, "b")
    checks.same_frame(a, b, "`a` and `b`", dimensions=4)
    for value, name in ((stride, "stride"), (output_stride, "output_stride")):
        checks.whole_number(value, name, at_least=1)
    checks.whole_number(max_displacement, "max_displacement", at_least=0)
    checks.whole_number(kernel_size, "kernel_size", at_least=1)
    if kernel_size % 2 == 0:
        raise InputError(f"`kernel_size` must be odd. Received: {kernel_size}.")
    if padding is not None:
        checks.whole_number(padding, "padding", at_least=0)
        lost = 2 * (max_displacement + kernel_size // 2 - padding)
        for size in a.shape[1:3]:
            if size is not None and size <= lost:
                raise InputError(
                    f"`a` must be higher and wider than {lost} pixels with this displacement, "
                    f"window and padding. Received: shape {tuple(a.shape)}."
                )
    if native.usable(a, b):
        return native.correlation(
            a, b, max_displacement, stride, kernel_size, output_stride, padding
        )
    return _correlation(a, b, max_displacement, stride, kernel_size, output_stride, padding)


def _correlation(a, b, max_displacement, stride, kernel_size, output_stride, padding):
    _, height, width, channels = ops.shape(a)
    window, reach = kernel_size // 2, max_displacement // stride
    if padding is None:
        start, lost = 0, 0
    else:
        start, lost = max_displacement - padding, 2 * (max_displacement + window - padding)
    rows = (height - lost - 1) // output_stride * output_stride + 1
    columns = (width - lost - 1) // output_stride * output_stride + 1

    # Cut out the pixels that any window covers and the pixels that they are compared with.
    far = reach * stride
    margin = max(0, window - start)
    begin = start - window + margin
    down, across = rows + 2 * window, columns + 2 * window
    a_padded = _zeros_around(ops.cast(a, "float32"), margin)
    b_padded = _zeros_around(ops.cast(b, "float32"), margin + far)
    a_pixels = a_padded[:, begin : begin + down, begin : begin + across]
    b_pixels = b_padded[:, begin : begin + down + 2 * far, begin : begin + across + 2 * far]
    products = _products(reach, stride)(a_pixels, b_pixels)

    volume = 0.0
    for y in range(kernel_size):
        for x in range(kernel_size):
            volume += products[:, y : y + rows : output_stride, x : x + columns : output_stride]
    return ops.cast(volume / (channels * kernel_size**2), a.dtype)


def _products(reach, stride):
    """Returns a function that computes the scalar products of pixels for all displacements.

    Its second map has a margin of the largest displacement. The gradient is written out, because
    automatic differentiation would keep all displaced copies of the second map at once.
    """
    side, far = 2 * reach + 1, reach * stride

    @ops.custom_gradient
    def products(a, b):
        batch, height, width, channels = ops.shape(a)
        volume = [
            ops.sum(a * b[:, y : y + height, x : x + width], axis=-1)
            for y in range(0, 2 * far + 1, stride)
            for x in range(0, 2 * far + 1, stride)
        ]

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            by_row = ops.reshape(upstream, (batch, height, width, side, side))

            @in_order()
            def add_row(row, gradients):
                a_gradient, b_gradient = gradients
                weights = ops.take(by_row, row, axis=3)
                size = (batch, height, width + 2 * far, channels)
                band = ops.slice(b, (0, row * stride, 0, 0), size)
                band_gradient = 0.0
                for column in range(side):
                    weight, x = weights[..., column : column + 1], column * stride
                    a_gradient = a_gradient + weight * band[:, :, x : x + width]
                    beside = ((0, 0), (0, 0), (x, 2 * far - x), (0, 0))
                    band_gradient = band_gradient + ops.pad(weight * a, beside)
                b_gradient = b_gradient + rows_within(band_gradient, row * stride, 2 * far, axis=1)
                return a_gradient, b_gradient

            zeros = ops.zeros_like(a), ops.zeros_like(b)
            return ops.fori_loop(0, side, add_row, zeros)

        return ops.stack(volume, axis=-1), gradient

    return products


def _zeros_around(image, margin):
    return ops.pad(image, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
