"""Backward warping, in which every output pixel reads the image at the end of its flow."""

from keras import ops

from tfvfi.ops import bilinear, checks, native
from tfvfi.ops.tensor import Tensor

PADDINGS = ("border", "zeros", "masked")

# How published code converts pixel x with flow u to a sampling position. For an axis of n pixels,
# position = pixel_scale * x + flow_scale * u + offset.
GRIDS = {
    "pixel": lambda n: (1.0, 1.0, 0.0),
    # Grid of pixel centers with the flow divided by n - 1, which stretches every displacement.
    "half_pixel": lambda n: (1.0, _ratio(n, n - 1), 0.0),
    # Division by n where aligned corners need n - 1, so that zero flow is not the identity.
    "off_by_one": lambda n: (_ratio(n - 1, n), _ratio(n - 1, n), 0.0),
    # Since PyTorch 1.3 changed its default, the unchanged code of two samplers reads pixel centers
    # on a grid that was meant for corners. The first divides by n - 1, the second by n.
    "unaligned": lambda n: (_ratio(n, n - 1), _ratio(n, n - 1), -0.5),
    "off_by_half": lambda n: (1.0, 1.0, -0.5),
}


def backward_warp(
    image: Tensor, flow: Tensor, padding: str = "border", grid: str = "pixel"
) -> Tensor:
    """Returns `image` sampled bilinearly at x + flow_x, y + flow_y.

    Positions are float32 whatever the types of the inputs. At whole pixels the gradient to the
    flow is the right-hand derivative. A NaN position samples nothing: the result is 0 with "zeros"
    and "masked", and NaN with "border". An infinite position lies outside the frame like any other
    distant one. NaN and infinite positions pass no gradient to the flow, and NaN positions pass
    none to the image.

    Args:
        image: [N, H, W, C], floating point.
        flow: [N, H, W, 2], (x, y) in pixels.
        padding: "border" repeats the edge of the image (the gradient to the flow is 0 where both
            neighbors are the same pixel); "zeros" takes pixels outside as 0; "masked" is like
            "zeros", but sets every pixel to 0 unless more than 0.999 of its weight is inside.
        grid: The published convention that converts a flow to a position. "pixel" is the plain
            one; `GRIDS` documents "half_pixel", "off_by_one", "unaligned" and "off_by_half".

    Returns:
        [N, H, W, C] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.arange(4, dtype="float32").reshape(1, 1, 4, 1)
        >>> flow = np.full((1, 1, 4, 2), (0.5, 0), "float32")
        >>> np.ravel(tfvfi.ops.backward_warp(image, flow))
        array([0.5, 1.5, 2.5, 3. ], dtype=float32)
    """
    image = checks.float_tensor(image, "image")
    flow = checks.float_tensor(flow, "flow", channels=2)
    checks.same_frame(image, flow, "`image` and `flow`")
    checks.one_of(padding, PADDINGS, "padding")
    checks.one_of(grid, GRIDS, "grid")
    if native.usable(image, flow):
        return native.backward_warp(image, flow, padding, GRIDS[grid])
    return _backward_warp(image, flow, padding, grid)


def _backward_warp(image, flow, padding, grid):
    batch, height, width, channels = ops.shape(image)
    flow = ops.cast(flow, "float32")
    x = _positions(bilinear.columns(width), flow[..., 0], GRIDS[grid](width))
    y = _positions(bilinear.rows(height), flow[..., 1], GRIDS[grid](height))
    beyond = "border" if padding == "border" else "nothing"
    left, right = bilinear.neighbors(x, width, beyond)
    upper, lower = bilinear.neighbors(y, height, beyond)

    pixels = ops.reshape(image, (-1, channels))
    first = bilinear.first_pixels(batch, height, width)
    warped = 0.0
    for row, row_weight in (upper, lower):
        for column, column_weight in (left, right):
            value = ops.take(pixels, first + row * width + column, axis=0)
            weight = ops.expand_dims(row_weight * column_weight, -1)
            warped = warped + ops.cast(value, "float32") * weight

    if padding == "border":
        nowhere = ops.logical_or(ops.isnan(x), ops.isnan(y))
        warped = ops.where(ops.expand_dims(nowhere, -1), float("nan"), warped)
    elif padding == "masked":
        inside = (left[1] + right[1]) * (upper[1] + lower[1]) > 0.999
        warped = ops.where(ops.expand_dims(inside, -1), warped, 0.0)
    return ops.cast(warped, image.dtype)


def _positions(pixels, flow, grid):
    pixel_scale, flow_scale, offset = grid
    return pixels * pixel_scale + flow * flow_scale + offset


def _ratio(numerator, denominator):
    # An axis of one pixel has no spacing to scale; published code divides by zero there.
    denominator = ops.maximum(ops.cast(denominator, "float32"), 1.0)
    return ops.cast(numerator, "float32") / denominator
