"""What the network is trained with: the frame, and at every size a motion that brings it there."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.losses import charbonnier
from tfvfi.models.variational.network import smaller
from tfvfi.ops import backward_warp

MOTION_WEIGHT = 0.1
# Coarser motion than at 1/16 is told by hardly any pixels.
LEVELS = 4


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Differences of the frame, and of both frames warped along the motion so far."""
    outputs = network({key: batch[key] for key in network.input_names}, training=training)
    terms = {
        "charbonnier": charbonnier(outputs["frame"] - batch["target"]),
        "motion": MOTION_WEIGHT * _along(outputs["motion_levels"][:LEVELS], batch),
    }
    return sum(terms.values()), terms


def _along(motions: Any, batch: Mapping[str, Any]) -> Any:
    time = ops.reshape(batch["time"], (-1, 1, 1, 1))
    levels = zip(*(smaller(batch[name]) for name in ("frame0", "frame1", "target")), strict=True)
    total = 0.0
    for motion, (frame0, frame1, target) in zip(motions, levels, strict=False):
        before = backward_warp(frame0, -time * motion)
        after = backward_warp(frame1, (1 - time) * motion)
        # What is hidden in one frame is seen in the other.
        gap = ops.minimum(_gap(before, target), _gap(after, target))
        total += charbonnier(gap) + charbonnier((1 - time) * before + time * after - target) / 2
    return total / len(motions)


def _gap(frame: Any, target: Any) -> Any:
    return ops.mean(ops.abs(frame - target), axis=-1, keepdims=True)
