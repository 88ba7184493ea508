"""Warping that keeps detail: bilinear sampling blurs by what the second derivatives tell.

Between two pixels, a of the way from one to the other, a smooth image differs from the straight
line by a (1 - a) / 2 times its second derivative. Derivatives are sampled with the colors, so one
warp gives both.
"""

from typing import Any

from keras import ops

from tfvfi.models import images
from tfvfi.ops import backward_warp, bilinear


def with_bends(frame: Any) -> Any:
    """The frame and its second derivatives along x and y: (B, H, W, 9)."""
    height, width = images.size(frame)
    padded = images.pad_edge(frame, (1, 1, 1, 1))
    left, right = padded[:, 1:-1, :width], padded[:, 1:-1, 2:]
    above, below = padded[:, :height, 1:-1], padded[:, 2:, 1:-1]
    return ops.concatenate([frame, left + right - 2 * frame, above + below - 2 * frame], axis=-1)


def sharp_warp(bent: Any, flow: Any, gain: Any) -> Any:
    """Samples a frame where the flow points.

    Args:
        bent: `with_bends` of the frame.
        flow: (B, H, W, 2), in pixels.
        gain: (B, H, W, 1): 0 for bilinear sampling, 1 for about cubic, more to sharpen.
    """
    height, width = images.size(bent)
    frame, along_x, along_y = ops.split(backward_warp(bent, flow), 3, axis=-1)
    x = _between(bilinear.columns(width) + flow[..., 0], width)
    y = _between(bilinear.rows(height) + flow[..., 1], height)
    return frame - gain * (x * along_x + y * along_y) / 2


def _between(position: Any, side: Any) -> Any:
    """a (1 - a), where a is how far a position lies behind a whole pixel: (B, H, W, 1)."""
    position = ops.clip(position, 0, ops.cast(side - 1, "float32"))
    part = ops.expand_dims(position - ops.floor(position), -1)
    return part * (1 - part)
