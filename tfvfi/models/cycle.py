"""Cycle consistency: training on a video alone, without any true frames between its frames.

Both pairs of three consecutive frames are interpolated at a time t. The second frame lies between
the two results, at 1 - t, so interpolating them at that time must reproduce it. No true frame is
needed, and gradients flow through all three passes (Reda et al., ICCV 2019).

On its own the objective has a degenerate solution: returning the nearer frame at all times but the
middle is consistent too. Networks whose flow grows with time by construction (Super SloMo,
SoftSplat) do not fall into it; networks that read the time as a free input (IFRNet) do.

Pseudo supervision rules this solution out by adding a teacher, usually the network as it was before
training: both results should stay near the teacher's. This term is 0 at the first step.

Both objectives suit any `Interpolator`. Their terms, with the published weights, compare:

- "pixel": the second frame with its reconstruction;
- "perceptual": the same in VGG-16 features, if VGG weights are given;
- "warping": for a network with outputs "flow0" and "flow1", the frames of the cycle, warped by
  them, with the second frame; for outputs "flow01" and "flow10", the frames of each of the three
  pairs with each other;
- "smoothness": neighboring pixels of "flow01" and "flow10" in all three passes, or of "flow0" and
  "flow1" if a network has only these;
- "teacher": the frames of both pairs with the teacher's.

A network without flow outputs has no warping and no smoothness term. A network that supports the
middle only is trained at t = 0.5.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
from keras import ops

from tfvfi.errors import InputError
from tfvfi.losses import mutual_warping, total_variation
from tfvfi.models.superslomo.network import FORMS
from tfvfi.models.superslomo.objective import (
    PIXEL_WEIGHT,
    SMOOTHNESS_WEIGHT,
    WARPING_WEIGHT,
    l1,
    perceptual_term,
)
from tfvfi.ops import backward_warp
from tfvfi.ops.tensor import Tensor

TEACHER_WEIGHT = PIXEL_WEIGHT
# As published, the perceptual loss subtracts this mean, whatever the network.
MEAN = FORMS["nvidia"].mean

Weights = str | Path | Mapping[str, Tensor] | None


def cycle(perceptual_weights: Weights = None) -> Callable[..., tuple[Tensor, dict[str, Tensor]]]:
    """Returns the objective of cycle consistency.

    The batch must contain "frame0", "frame1", "frame2" and "time".

    Args:
        perceptual_weights: torchvision's VGG-16 weights; without them the term is left out.

    Returns:
        `objective(network, batch, training=True)`.

    Example:
        >>> import numpy as np, tfvfi
        >>> network = tfvfi.load("ifrnet_s", weights=None)
        >>> batch = {f"frame{i}": np.zeros((1, 32, 32, 3), "float32") for i in range(3)}
        >>> total, terms = cycle()(network, batch | {"time": np.array([0.25])})
        >>> sorted(terms)
        ['pixel', 'smoothness', 'warping']
    """
    perceptual = perceptual_term(perceptual_weights)

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> tuple[Tensor, dict[str, Tensor]]:
        terms = cycle_terms(three_passes(network, batch, training), network, batch, perceptual)
        return sum(terms.values()), terms

    return objective


def cycle_pseudo(
    teacher: keras.Model, perceptual_weights: Weights = None
) -> Callable[..., tuple[Tensor, dict[str, Tensor]]]:
    """Returns the objective of cycle consistency with pseudo supervision.

    Args:
        teacher: An interpolator whose frames the network's should stay near; it is not trained.
            `frozen_copy(network)` creates one from the initial weights.
        perceptual_weights: See `cycle`.

    Returns:
        `objective(network, batch, training=True)`.
    """
    if not hasattr(teacher, "input_names"):
        raise InputError(
            "cycle_pseudo needs a teacher, an interpolator such as frozen_copy(network). "
            f"Received: {teacher!r}"
        )
    perceptual = perceptual_term(perceptual_weights)

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> tuple[Tensor, dict[str, Tensor]]:
        passes = three_passes(network, batch, training)
        terms = cycle_terms(passes, network, batch, perceptual)
        time = times_of(network, batch["time"])
        differences = []
        for frame0, frame1, outputs in passes[:2]:
            wanted = teacher({"frame0": frame0, "frame1": frame1, "time": time}, training=False)
            differences.append(l1(outputs["frame"], ops.stop_gradient(wanted["frame"])))
        terms["teacher"] = TEACHER_WEIGHT * sum(differences)
        return sum(terms.values()), terms

    return objective


def frozen_copy(network: keras.Model) -> keras.Model:
    """Returns a copy of a network with the same weights that is excluded from training."""
    copy = type(network).from_config(network.get_config())
    for variable, value in zip(copy.weights, network.weights, strict=True):
        variable.assign(value)
    copy.trainable = False
    return copy


def three_passes(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool
) -> list[tuple[Tensor, Tensor, dict[str, Tensor]]]:
    """Returns the frames and outputs of the first pair, the second pair, and the cycle."""
    time = times_of(network, batch["time"])

    def interpolated(
        frame0: Tensor, frame1: Tensor, time: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        inputs = {"frame0": frame0, "frame1": frame1, "time": time}
        return frame0, frame1, network(inputs, training=training)

    first = interpolated(batch["frame0"], batch["frame1"], time)
    second = interpolated(batch["frame1"], batch["frame2"], time)
    return [first, second, interpolated(first[2]["frame"], second[2]["frame"], 1 - time)]


def cycle_terms(
    passes: list[tuple[Tensor, Tensor, dict[str, Tensor]]],
    network: keras.Model,
    batch: Mapping[str, Tensor],
    perceptual: Callable[..., dict[str, Tensor]],
) -> dict[str, Tensor]:
    """Returns the terms of cycle consistency, as far as the network has the outputs they need."""
    target = batch["frame1"]
    frame0, frame1, last = passes[-1]
    terms = {
        "pixel": PIXEL_WEIGHT * l1(last["frame"], target),
        **perceptual(last["frame"], target, MEAN),
    }
    warp = getattr(network, "warp", backward_warp)
    warps: list[Tensor] = []
    smooth: tuple[str, ...] = ()
    if "flow0" in last:
        smooth = "flow0", "flow1"
        for end, frame in enumerate((frame0, frame1)):
            # Super SloMo is judged by the frames that it warped before its flows were refined.
            raw = f"raw_warped{end}"
            warped = last[raw] if raw in last else warp(frame, last[f"flow{end}"])
            warps.append(l1(warped, target))
    if "flow01" in last:
        smooth = "flow01", "flow10"
        for first, second, outputs in passes:
            flows = (outputs[name] for name in smooth)
            warps.append(mutual_warping(first, second, *flows, warp))
    if warps:
        variations = [total_variation(outputs[name]) for *_, outputs in passes for name in smooth]
        terms["warping"] = WARPING_WEIGHT * sum(warps)
        terms["smoothness"] = SMOOTHNESS_WEIGHT * sum(variations)
    return terms


def times_of(network: keras.Model, time: Tensor) -> Tensor:
    """Returns the times of a batch, or the middle for weights that support nothing else."""
    if network.times == "any":
        return ops.convert_to_tensor(time, dtype="float32")
    if 0.5 not in network.times:
        raise InputError(
            f"a cycle needs a network that answers the middle. Received: {network.name}, which "
            f"answers {network.times}"
        )
    return 0.5 * ops.ones_like(ops.convert_to_tensor(time, dtype="float32"))
