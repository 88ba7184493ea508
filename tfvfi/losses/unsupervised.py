"""Losses of flow that need no true flow: photometric consistency and smoothness.

Both sum the penalty (x^2 + 1e-16)^0.25, nearly the square root of |x|, over all pixels, on a
brightness scale from 0 to 255, as in vineeths96/Video-Interpolation-using-Deep-Optical-Flow. The
original used only the blue channel and copies that passed no gradient; here all colors count and
gradients flow to the flow.
"""

from keras import ops

from tfvfi.ops import backward_warp
from tfvfi.ops.tensor import Tensor

BRIGHTNESS = 255.0


def photometric(frame0: Tensor, frame1: Tensor, flow: Tensor) -> Tensor:
    """Returns the penalty of the difference between `frame1` warped along the flow and `frame0`.

    It is summed over pixels and averaged over colors and examples.

    Args:
        frame0: (B, H, W, C), in [0, 1].
        frame1: A frame of the same shape.
        flow: (B, H, W, 2), from frame0 to frame1, in pixels.
    """
    difference = BRIGHTNESS * (backward_warp(frame1, flow) - frame0)
    return _sum_over_pixels(ops.mean(root_penalty(difference), axis=-1, keepdims=True))


def smoothness(flow: Tensor) -> Tensor:
    """Returns the penalty of the changes of the flow to the right and down.

    It is summed over pixels and averaged over examples. Pixels of the last row and column count
    only as neighbors of others.

    Args:
        flow: (B, H, W, 2), in pixels.
    """
    down = flow[:, 1:, :-1] - flow[:, :-1, :-1]
    right = flow[:, :-1, 1:] - flow[:, :-1, :-1]
    return _sum_over_pixels(root_penalty(down)) + _sum_over_pixels(root_penalty(right))


def root_penalty(difference: Tensor) -> Tensor:
    """Returns (x^2 + 1e-16)^0.25 of every element."""
    return ops.power(ops.square(difference) + 1e-16, 0.25)


def _sum_over_pixels(penalties: Tensor) -> Tensor:
    return ops.mean(ops.sum(penalties, axis=(1, 2, 3)))
