"""What the network is trained with: the frame, and at every size a motion that brings it there.

Errors are compared by their logarithms, frame by frame, as PSNR does. Real footage holds frames
that nobody can paint; by their plain errors these would drown all that can be learned from others.
"""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.models.variational.network import smaller
from tfvfi.ops import backward_warp

MOTION_WEIGHT = 0.2
# Coarser motion than at 1/16 is told by hardly any pixels.
LEVELS = 4
# The error of one frame that is not worth improving: a quarter of an 8-bit step.
PERFECT = 1e-3


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Errors of the frame, and of both frames warped along the motion so far."""
    outputs = network({key: batch[key] for key in network.input_names}, training=training)
    difference = outputs["frame"] - batch["target"]
    terms = {
        "absolute": relative(ops.abs(difference)),
        "squared": relative(ops.square(difference), PERFECT**2) / 2,
        "motion": MOTION_WEIGHT * along(outputs["motion_levels"][:LEVELS], batch),
    }
    return sum(terms.values()), terms


def relative(error: Any, perfect: float = PERFECT) -> Any:
    """The mean logarithm of the mean error of each frame."""
    return ops.mean(ops.log(ops.mean(error, axis=(1, 2, 3)) + perfect))


def along(motions: Any, batch: Mapping[str, Any]) -> Any:
    """How far both frames, warped along motion of every size, are from the true one there."""
    time = ops.reshape(batch["time"], (-1, 1, 1, 1))
    levels = zip(*(smaller(batch[name]) for name in ("frame0", "frame1", "target")), strict=True)
    total = 0.0
    for motion, (frame0, frame1, target) in zip(motions, levels, strict=False):
        before = backward_warp(frame0, -time * motion)
        after = backward_warp(frame1, (1 - time) * motion)
        # What is hidden in one frame is seen in the other.
        gaps = [ops.abs(frame - target) for frame in (before, after)]
        total += relative(ops.minimum(*gaps) + sum(gaps) / 4)
    return total / len(motions)
