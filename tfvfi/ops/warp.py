"""Backward warping: every output pixel reads the image where the flow points."""

from keras import ops

from tfvfi.ops import bilinear, checks, native
from tfvfi.ops.tensor import Tensor

PADDINGS = ("border", "zeros", "masked")

# How published code turns pixel x with flow u into a sampling position: for a frame of n pixels,
# position = pixel_scale * x + flow_scale * u + offset.
GRIDS = {
    "pixel": lambda n: (1.0, 1.0, 0.0),
    # Pixel centers on the grid, the flow divided by n - 1: every displacement is stretched.
    "half_pixel": lambda n: (1.0, _ratio(n, n - 1), 0.0),
    # Divided by n where aligned corners want n - 1: zero flow is not the identity.
    "off_by_one": lambda n: (_ratio(n - 1, n), _ratio(n - 1, n), 0.0),
    # The two samplers' code left unchanged since PyTorch 1.3 reads pixel centers on a grid meant
    # for corners: the one that divides by n - 1, and the one that divides by n.
    "unaligned": lambda n: (_ratio(n, n - 1), _ratio(n, n - 1), -0.5),
    "off_by_half": lambda n: (1.0, 1.0, -0.5),
}


def backward_warp(
    image: Tensor, flow: Tensor, padding: str = "border", grid: str = "pixel"
) -> Tensor:
    """Samples `image` bilinearly at x + flow_x, y + flow_y.

    Positions are float32 whatever the types of the inputs. At whole pixels the gradient to the
    flow is the right-hand derivative. A position that is NaN samples nothing: it gives 0 with
    "zeros" and "masked" and NaN with "border". An infinite one lies beyond the frame like any
    other far one. Neither passes on a gradient to the flow, nor a NaN one to the image.

    Args:
        image: [N, H, W, C], floating point.
        flow: [N, H, W, 2], (x, y) in pixels.
        padding: "border" repeats the edge of the image (and the gradient to the flow is 0 where
            both neighbors are the same pixel); "zeros" takes what is outside as 0; "masked" is
            "zeros" with pixels set to 0 unless more than 0.999 of their weight is inside.
        grid: Which published convention turns a flow into a position: "pixel" is the plain one;
            "half_pixel", "off_by_one", "unaligned" and "off_by_half" are told in `GRIDS`.

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
    # A frame one pixel wide has no spacing to scale; published code divides by zero there.
    denominator = ops.maximum(ops.cast(denominator, "float32"), 1.0)
    return ops.cast(numerator, "float32") / denominator
