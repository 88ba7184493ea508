"""Learning from a video as it is, without any frames between: cycle consistency.

Of three frames in a row, both pairs are interpolated at a time t. Between the two results lies the
second frame, at 1 - t: interpolating them there must give it back. Nothing between the frames needs
to be known. Gradients run through all three passes (Reda et al., ICCV 2019).

Alone it has a way out: answering all times but the middle with the nearer frame is consistent too.
Networks whose flow grows with time by construction (Super SloMo, SoftSplat) do not find it; those
that are told the time and make of it what they like (IFRNet) do.

Pseudo supervision adds a teacher, usually the network as it was before: both results should stay
near the teacher's, which closes that way. At the first step that term is then 0.

Both are written for any `Interpolator` and compare, with the published weights:

- "pixel": the second frame with what came back;
- "perceptual": the same in features of VGG16, if its weights are named;
- "warping": where a network gives "flow0" and "flow1", the cycle's own frames, warped by them, with
  the second frame; where it gives "flow01" and "flow10", the frames of each of the three pairs
  with each other;
- "smoothness": neighbors in "flow01" and "flow10" of the three passes, or in "flow0" and "flow1"
  where a network has only these;
- "teacher": the frames of both pairs with the teacher's.

A network without flows has no warping and no smoothness. One that answers the middle only is
trained at t = 0.5.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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

TEACHER_WEIGHT = PIXEL_WEIGHT
# Whatever the network, features are those of frames minus this, as published.
MEAN = FORMS["nvidia"].mean

Weights = str | Path | Mapping[str, Any] | None


def cycle(perceptual_weights: Weights = None) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Cycle consistency; the batch holds "frame0", "frame1", "frame2" and "time".

    Args:
        perceptual_weights: torchvision's file of VGG16. Left out, so is the perceptual term.

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
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        terms = cycle_terms(three_passes(network, batch, training), network, batch, perceptual)
        return sum(terms.values()), terms

    return objective


def cycle_pseudo(
    teacher: Any, perceptual_weights: Weights = None
) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Cycle consistency and pseudo supervision.

    Args:
        teacher: An interpolator whose frames the network's should stay near; it is not trained.
            `frozen_copy(network)` makes one of the weights that training starts from.
        perceptual_weights: As of `cycle`.

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
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
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


def frozen_copy(network: Any) -> Any:
    """A network with the same weights that is not trained along."""
    copy = type(network).from_config(network.get_config())
    for variable, value in zip(copy.weights, network.weights, strict=True):
        variable.assign(value)
    copy.trainable = False
    return copy


def three_passes(
    network: Any, batch: Mapping[str, Any], training: bool
) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Both frames and the outputs of the first pair, of the second, and of the cycle."""
    time = times_of(network, batch["time"])

    def interpolated(frame0: Any, frame1: Any, time: Any) -> tuple[Any, Any, dict[str, Any]]:
        inputs = {"frame0": frame0, "frame1": frame1, "time": time}
        return frame0, frame1, network(inputs, training=training)

    first = interpolated(batch["frame0"], batch["frame1"], time)
    second = interpolated(batch["frame1"], batch["frame2"], time)
    return [first, second, interpolated(first[2]["frame"], second[2]["frame"], 1 - time)]


def cycle_terms(
    passes: list[tuple[Any, Any, dict[str, Any]]],
    network: Any,
    batch: Mapping[str, Any],
    perceptual: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    """The terms of cycle consistency, as far as the network has what they need."""
    target = batch["frame1"]
    frame0, frame1, last = passes[-1]
    terms = {
        "pixel": PIXEL_WEIGHT * l1(last["frame"], target),
        **perceptual(last["frame"], target, MEAN),
    }
    warp = getattr(network, "warp", backward_warp)
    warps: list[Any] = []
    smooth: tuple[str, ...] = ()
    if "flow0" in last:
        smooth = "flow0", "flow1"
        for end, frame in enumerate((frame0, frame1)):
            # Super SloMo keeps what it warped before its flows were refined, and is judged by that.
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


def times_of(network: Any, time: Any) -> Any:
    """The times of a batch, or the middle for weights that answer that only."""
    if network.times == "any":
        return ops.convert_to_tensor(time, dtype="float32")
    if 0.5 not in network.times:
        raise InputError(
            f"a cycle needs a network that answers the middle. Received: {network.name}, which "
            f"answers {network.times}"
        )
    return 0.5 * ops.ones_like(ops.convert_to_tensor(time, dtype="float32"))
