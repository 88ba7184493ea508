"""Warping that keeps detail: frames are read as cubic splines, which bilinear sampling blurs.

A cubic B-spline through the pixels of a frame is given by its coefficients, a sharpened form of
the frame (Unser, 1999). Between pixels the spline is a sum of 4 x 4 coefficients, all weights of
which are positive: so four bilinear reads give it, each where two by two of them balance.
"""

import math
from typing import Any

from keras import ops

from tfvfi import images
from tfvfi.ops import backward_warp, bilinear

# A coefficient depends on pixels as POLE ** distance; beyond REACH it does so by less than 1/4000.
POLE, REACH = math.sqrt(3) - 2, 6
# What is flat stays as bright as it is.
SCALE = 1 / (1 + 2 * sum(POLE**by for by in range(1, REACH + 1)))


def coefficients(frame: Any) -> Any:
    """The coefficients of the spline through the pixels of a frame, of its shape."""
    return _sharpened(_sharpened(frame, axis=1), axis=2)


def spline_warp(spline: Any, flow: Any) -> Any:
    """A frame, given by its `coefficients`, read where the flow points; its border goes on."""
    height, width = images.size(spline)
    columns, rows = bilinear.columns(width), bilinear.rows(height)
    left, right = _balances(columns, flow[..., 0], width)
    above, below = _balances(rows, flow[..., 1], height)
    return sum(
        weight_x * weight_y * backward_warp(spline, ops.stack([x - columns, y - rows], axis=-1))
        for x, weight_x in (left, right)
        for y, weight_y in (above, below)
    )


def _sharpened(frame: Any, axis: int) -> Any:
    """Coefficients of the splines along one axis."""
    side = images.size(frame)[axis - 1]
    # Mirrored, as often as it takes, so that the coefficient beyond the border is that of the
    # border.
    pixels = (ops.arange(side + 2 * REACH) + (2 * REACH * side - REACH)) % (2 * side)
    mirrored = ops.take(frame, ops.minimum(pixels, 2 * side - 1 - pixels), axis=axis)

    def moved(by: int) -> Any:
        part = slice(REACH + by, REACH + by + side)
        return mirrored[:, part] if axis == 1 else mirrored[:, :, part]

    pairs = (POLE**by * (moved(-by) + moved(by)) for by in range(1, REACH + 1))
    return SCALE * (frame + sum(pairs))


def _balances(pixels: Any, flow: Any, side: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Where on one axis the first two and the last two of four coefficients balance, and weights.

    Returns:
        Twice a position, (B, H, W), and the share of the two there, (B, H, W, 1).
    """
    position = ops.clip(pixels + flow, 0, ops.cast(side - 1, "float32"))
    whole = ops.floor(position)
    part = position - whole
    first, last = (1 - part) ** 3 / 6, part**3 / 6
    second = (4 - 6 * part**2 + 3 * part**3) / 6
    third = 1 - first - second - last
    before, after = first + second, third + last
    return (
        (whole - 1 + second / before, ops.expand_dims(before, -1)),
        (whole + 1 + last / after, ops.expand_dims(after, -1)),
    )
