"""Losses of flow that need no true flow: mutual warping and total variation."""

from collections.abc import Callable

from keras import ops

from tfvfi.ops import backward_warp
from tfvfi.ops.tensor import Tensor


def mutual_warping(
    frame0: Tensor,
    frame1: Tensor,
    flow01: Tensor,
    flow10: Tensor,
    warp: Callable[..., Tensor] = backward_warp,
) -> Tensor:
    """Returns the sum of the mean absolute differences of each frame from the other one warped.

    Args:
        frame0: (B, H, W, C).
        frame1: A frame of the same shape.
        flow01: (B, H, W, 2), from frame0 to frame1, in pixels.
        flow10: The flow from frame1 to frame0.
        warp: The sampler of the network, called as `warp(frame, flow)`.
    """
    onto0 = ops.mean(ops.abs(warp(frame1, flow01) - frame0))
    return onto0 + ops.mean(ops.abs(warp(frame0, flow10) - frame1))


def total_variation(flow: Tensor) -> Tensor:
    """Returns the mean absolute difference of neighbors in a row plus that in a column.

    Args:
        flow: (B, H, W, C).

    Example:
        >>> import numpy as np, tfvfi
        >>> ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (1, 8, 8, 2))
        >>> float(tfvfi.losses.total_variation(ramp))
        1.0
    """
    right = ops.abs(flow[:, :, 1:] - flow[:, :, :-1])
    down = ops.abs(flow[:, 1:] - flow[:, :-1])
    return ops.mean(right) + ops.mean(down)
