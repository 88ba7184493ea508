"""Warping of frames as cubic splines, which keeps the detail that bilinear sampling blurs.

A cubic B-spline through the pixels of a frame is defined by its coefficients, a sharpened form of
the frame (Unser, 1999). The value between pixels is a weighted sum of 4 x 4 coefficients. As all
weights are positive, four bilinear reads suffice, each at the weighted center of 2 x 2 of them.
The native form sums the 4 x 4 coefficients directly; it has no gradients and is used where none
are needed.
"""

import math

from keras import ops

from tfvfi.ops import bilinear, native
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Side, Tensor
from tfvfi.ops.warp import backward_warp

# A pixel contributes to a coefficient as POLE ** distance, which is below 1/4000 beyond REACH.
POLE, REACH = math.sqrt(3) - 2, 6
# Keeps the brightness of flat areas.
SCALE = 1 / (1 + 2 * sum(POLE**by for by in range(1, REACH + 1)))


def coefficients(frame: Tensor) -> Tensor:
    """Returns the coefficients of the spline through the pixels of a frame, of the same shape.

    Args:
        frame: [N, H, W, C], floating point.
    """
    if not gradients_wanted() and native.usable(frame):
        return native.spline_coefficients(frame, [SCALE * POLE**by for by in range(REACH + 1)])
    return _sharpened(_sharpened(frame, axis=1), axis=2)


def read(spline: Tensor, frame: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Returns a frame warped along a flow, as a spline and bilinearly.

    The border of the frame is repeated outside.

    Args:
        spline: The `coefficients` of the frame.
        frame: [N, H, W, C], floating point.
        flow: [N, H, W, 2], (x, y) in pixels.

    Returns:
        Two tensors of the frame's shape: the values of the spline, and the result of
        `backward_warp`.

    Example:
        >>> import numpy as np
        >>> from tfvfi.ops import spline
        >>> frame = np.arange(6, dtype="float32").reshape(1, 1, 6, 1)
        >>> flow = np.full((1, 1, 6, 2), (0.5, 0), "float32")
        >>> sharp, soft = spline.read(spline.coefficients(frame), frame, flow)
        >>> np.ravel(soft)
        array([0.5, 1.5, 2.5, 3.5, 4.5, 5. ], dtype=float32)
    """
    if not gradients_wanted() and native.usable(spline, frame, flow):
        return native.spline_read(spline, frame, flow)
    return _read(spline, flow), backward_warp(frame, flow)


def _read(spline: Tensor, flow: Tensor) -> Tensor:
    _, height, width, _ = ops.shape(spline)
    columns, rows = bilinear.columns(width), bilinear.rows(height)
    left, right = _balances(columns, flow[..., 0], width)
    above, below = _balances(rows, flow[..., 1], height)
    return sum(
        weight_x * weight_y * backward_warp(spline, ops.stack([x - columns, y - rows], axis=-1))
        for x, weight_x in (left, right)
        for y, weight_y in (above, below)
    )


def _sharpened(frame: Tensor, axis: int) -> Tensor:
    """Returns the coefficients of the splines along one axis."""
    side = ops.shape(frame)[axis]
    # The frame is mirrored as often as needed, which makes the coefficient beyond the border equal
    # to that of the border.
    pixels = (ops.arange(side + 2 * REACH) + (2 * REACH * side - REACH)) % (2 * side)
    mirrored = ops.take(frame, ops.minimum(pixels, 2 * side - 1 - pixels), axis=axis)

    def moved(by: int) -> Tensor:
        part = slice(REACH + by, REACH + by + side)
        return mirrored[:, part] if axis == 1 else mirrored[:, :, part]

    pairs = (POLE**by * (moved(-by) + moved(by)) for by in range(1, REACH + 1))
    return SCALE * (frame + sum(pairs))


def _balances(
    pixels: Tensor, flow: Tensor, side: Side
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Returns the weighted centers of the first two and of the last two coefficients on one axis.

    Returns:
        For each of the two pairs its position, (B, H, W), and its total weight, (B, H, W, 1).
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
