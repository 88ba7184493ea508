"""Frames rendered along several motions, fused by how well the two sources of each pixel agree.

The native form reads, weighs and adds everything in one pass over the rows; it has no gradients and
is used where none are needed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from tfvfi.ops import native, spline
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Tensor

# exp(-50 |difference of the two sources|): how strongly the best motion dominates.
SHARPNESS = 50.0
# Where the two sources differ by this much, they are sampled bilinearly instead of by splines.
DOUBTFUL = 0.05
# Added to how far a motion is known, so that one that is nowhere known still counts a little.
HOLE = 1e-3
# Differences are averaged over windows of this side; the native form has it built in.
WINDOW = 5


class Sources(NamedTuple):
    """The two frames between which frames are rendered, (B, H, W, 3), and their splines.

    Attributes:
        frame0: The first frame.
        frame1: The second frame.
        spline0: The `spline.coefficients` of the first frame.
        spline1: Those of the second frame.
    """

    frame0: Tensor
    frame1: Tensor
    spline0: Tensor
    spline1: Tensor


class Motion(NamedTuple):
    """One estimate of the motion at a time between two frames.

    Attributes:
        offsets: (B, H, W, 2), the motion from the first to the second frame, in pixels.
        known: (B, H, W, 1), how far it is known: 1, or less where it is a guess.
    """

    offsets: Tensor
    known: Tensor


def fuse(
    sources: Sources, motions: Sequence[Motion], mask: Tensor, visible: Tensor, time: Tensor
) -> tuple[Tensor, Tensor]:
    """Renders the frame along each motion and averages the results.

    Each pixel of each result counts by how well its two sources agree in its neighborhood. Where
    they disagree, detail would be in the wrong place, so the frames are sampled bilinearly there.

    Args:
        sources: The two frames.
        motions: 1 to 8 estimates of the motion.
        mask: (B, H, W, 1), the weight of the first frame.
        visible: (B, H, W, 1), 1 where content is visible in both frames. Elsewhere a disagreement
            says nothing about a motion.
        time: (B, 1, 1, 1), the time of the new frame, between 0 and 1.

    Returns:
        The new frame, (B, H, W, 3), and the average of the motions, (B, H, W, 2).
    """
    tensors = [*sources, *(part for motion in motions for part in motion), mask, visible, time]
    if not gradients_wanted() and native.usable(*tensors):
        settings = (SHARPNESS, DOUBTFUL, HOLE)
        return native.fuse(sources, motions, mask, visible, time, settings)
    rendered = [_render(sources, motion.offsets, mask, time) for motion in motions]
    trust = [
        ops.log(motion.known + HOLE) - SHARPNESS * window_mean(visible * gap)
        for motion, (_, gap) in zip(motions, rendered, strict=True)
    ]
    shares = ops.split(ops.softmax(ops.concatenate(trust, axis=-1)), len(motions), axis=-1)
    frame = sum(share * frame for share, (frame, _) in zip(shares, rendered, strict=True))
    offsets = sum(share * motion.offsets for share, motion in zip(shares, motions, strict=True))
    return frame, offsets


def window_mean(values: Tensor) -> Tensor:
    """Returns means over the window around each pixel."""
    return ops.average_pool(values, WINDOW, strides=1, padding="same")


def _render(sources: Sources, offsets: Tensor, mask: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """Renders the frame along one motion; also returns how much its two sources differ."""
    sharp0, soft0 = spline.read(sources.spline0, sources.frame0, -time * offsets)
    sharp1, soft1 = spline.read(sources.spline1, sources.frame1, (1 - time) * offsets)
    gap = ops.mean(ops.abs(sharp0 - sharp1), axis=-1, keepdims=True)
    # Blurred detail is better than detail in the wrong place.
    softness = ops.minimum(ops.square(window_mean(gap) / DOUBTFUL), 1)
    sharp = mask * sharp0 + (1 - mask) * sharp1
    soft = mask * soft0 + (1 - mask) * soft1
    return sharp + softness * (soft - sharp), gap
