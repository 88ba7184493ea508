"""What RIFE is trained with: the frame, a teacher that sees the true one, and its flow.

The teacher is one more block, which reads the true frame besides; it exists only during training,
where the network was built with `teacher=True`. Where its frame is better, the flow of every block
learns from its flow. Without a teacher the frame alone is learned, which is enough to fine-tune.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from tfvfi.losses import laplacian_mean
from tfvfi.models.rife.network import blended, colors, moment
from tfvfi.models.rife.pyramid import Motion

DISTILLATION_WEIGHT = 0.01
# By how much a teacher's pixel must be better for its flow to be learned.
BETTER = 0.01


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The loss of RIFE's paper; see `tfvfi.losses` for what goes in and comes out.

    Scales are never doubled here, whatever the motion, as in the published training.
    """
    target = batch["target"]
    prepared = network.prepare(batch["frame0"], batch["frame1"])
    pair, time = prepared["pair"], moment(batch["time"])
    motions = network.pyramid.motions(pair, time)
    frame = network.finish(prepared, motions[-1])["frame"]
    terms = {"laplacian": laplacian_mean(frame, target)}
    if network.teacher:
        taught = teacher_motion(network, pair, time, motions[-1], target)
        teacher = blended(pair, taught)["frame"]
        terms["teacher"] = laplacian_mean(teacher, target)
        frames = [blended(pair, motion)["frame"] for motion in motions]
        learned = distillation(
            [each.flow for each in motions], frames, taught.flow, teacher, target
        )
        terms["distillation"] = DISTILLATION_WEIGHT * learned
    return sum(terms.values()), terms


def teacher_motion(
    network: Any, pair: tuple[Any, Any], time: Any, motion: Motion, target: Any
) -> Motion:
    """The motion that the teacher makes of the last block's, knowing the true frame."""
    now = blended(pair, motion)
    known = [now["warped0"], now["warped1"], motion.mask, target, motion.flow]
    if network.pyramid.timed:
        plane = ops.ones_like(motion.mask) * time
        known = [*colors(pair), plane, *known]
    found = network.teacher(ops.concatenate(known, axis=-1))
    correction = network.pyramid.motion(found, network.teacher.enlargement)
    return Motion(motion.flow + correction.flow, motion.mask + correction.mask, correction.feature)


def distillation(
    flows: Sequence[Any], frames: Sequence[Any], teacher_flow: Any, teacher: Any, target: Any
) -> Any:
    """How far every block's flow is from the teacher's, where the teacher's frame is better.

    Args:
        flows: Of every block, (B, H, W, 4).
        frames: Blended along them.
        teacher_flow: The teacher's, from which no gradient flows back.
        teacher: The frame blended along it.
        target: The true frame.
    """
    teacher_flow = ops.stop_gradient(teacher_flow)
    teacher_error = _error(teacher, target)
    total = 0.0
    for flow, frame in zip(flows, frames, strict=True):
        better = ops.cast(_error(frame, target) > teacher_error + BETTER, "float32")
        squares = ops.mean(ops.square(teacher_flow - flow), axis=-1, keepdims=True)
        # The root of 0 has no gradient; so small a difference needs none.
        length = ops.sqrt(ops.maximum(squares, 1e-12))
        total += ops.mean(length * ops.stop_gradient(better))
    return total


def _error(frame: Any, target: Any) -> Any:
    return ops.mean(ops.abs(frame - target), axis=-1, keepdims=True)
