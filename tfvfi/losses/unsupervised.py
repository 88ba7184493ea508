"""What tells a good flow without knowing the true one: colours that match, and smoothness.

Both sum the penalty (x^2 + 1e-16)^0.25, nearly the root of |x|, over all pixels, as their origin
does (vineeths96/Video-Interpolation-using-Deep-Optical-Flow) on brightness from 0 to 255. It did so
on the blue channel alone and on copies that passed no gradient; here all colours count and
gradients reach the flow.
"""

from keras import ops

from tfvfi.ops import backward_warp
from tfvfi.ops.tensor import Tensor

BRIGHTNESS = 255.0


def photometric(frame0: Tensor, frame1: Tensor, flow: Tensor) -> Tensor:
    """Sum over pixels, mean over colours and examples, of how much `frame1` at the flow differs.

    Args:
        frame0: (B, H, W, C), in [0, 1].
        frame1: The same.
        flow: (B, H, W, 2), from frame0 to frame1, in pixels.
    """
    difference = BRIGHTNESS * (backward_warp(frame1, flow) - frame0)
    return _sum_over_pixels(ops.mean(root_penalty(difference), axis=-1, keepdims=True))


def smoothness(flow: Tensor) -> Tensor:
    """Sum over pixels, mean over examples, of how much the flow changes to the right and down.

    The last row and the last column have no neighbors and count only as those of others.

    Args:
        flow: (B, H, W, 2), in pixels.
    """
    down = flow[:, 1:, :-1] - flow[:, :-1, :-1]
    right = flow[:, :-1, 1:] - flow[:, :-1, :-1]
    return _sum_over_pixels(root_penalty(down)) + _sum_over_pixels(root_penalty(right))


def root_penalty(difference: Tensor) -> Tensor:
    """(x^2 + 1e-16)^0.25, element by element."""
    return ops.power(ops.square(difference) + 1e-16, 0.25)


def _sum_over_pixels(penalties: Tensor) -> Tensor:
    return ops.mean(ops.sum(penalties, axis=(1, 2, 3)))
