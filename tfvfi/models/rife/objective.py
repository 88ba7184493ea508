"""The training objective of RIFE: the frame, a teacher that reads the true frame, and its flow.

The teacher is one more block, which additionally reads the true frame; it exists only in training,
if the network was built with `teacher=True`. Where the teacher's frame is better, the flow of every
block learns from the teacher's flow. Without a teacher only the frame is supervised, which is
enough to fine-tune.
"""

from collections.abc import Mapping, Sequence

import keras
from keras import ops

from tfvfi.losses import laplacian_mean
from tfvfi.models.rife.network import blended, colors, moment
from tfvfi.models.rife.pyramid import Maps, Motion
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

DISTILLATION_WEIGHT = 0.01
# How much better a teacher's pixel must be for its flow to be used.
BETTER = 0.01


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the loss of RIFE's paper; see `tfvfi.losses` for the contract.

    As in the published training, scales are never doubled here, however large the motion.
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
    network: keras.Model, pair: tuple[Maps, Maps], time: Tensor, motion: Motion, target: Tensor
) -> Motion:
    """Returns the last block's motion as corrected by the teacher, which reads the true frame."""
    now = blended(pair, motion)
    known = [now["warped0"], now["warped1"], motion.mask, target, motion.flow]
    if network.pyramid.timed:
        plane = ops.ones_like(motion.mask) * time
        known = [*colors(pair), plane, *known]
    correction = network.pyramid.motion(network.teacher, join(known))
    return Motion(motion.flow + correction.flow, motion.mask + correction.mask, correction.feature)


def distillation(
    flows: Sequence[Tensor],
    frames: Sequence[Tensor],
    teacher_flow: Tensor,
    teacher: Tensor,
    target: Tensor,
) -> Tensor:
    """Returns the distance of every block's flow from the teacher's, where the teacher is better.

    Args:
        flows: The flows of every block, (B, H, W, 4).
        frames: The frames blended along these flows.
        teacher_flow: The teacher's flow, which receives no gradient.
        teacher: The frame blended along the teacher's flow.
        target: The true frame.
    """
    teacher_flow = ops.stop_gradient(teacher_flow)
    teacher_error = _error(teacher, target)
    total = 0.0
    for flow, frame in zip(flows, frames, strict=True):
        better = ops.cast(_error(frame, target) > teacher_error + BETTER, "float32")
        squares = ops.mean(ops.square(teacher_flow - flow), axis=-1, keepdims=True)
        # The square root has no gradient at 0, and so small a difference needs none.
        length = ops.sqrt(ops.maximum(squares, 1e-12))
        total += ops.mean(length * ops.stop_gradient(better))
    return total


def _error(frame: Tensor, target: Tensor) -> Tensor:
    return ops.mean(ops.abs(frame - target), axis=-1, keepdims=True)
