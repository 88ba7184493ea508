"""The training objective of IFRNet: the frame, the structure of features, and a teacher's flow."""

from collections.abc import Mapping

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import InputError
from tfvfi.losses import (
    census,
    charbonnier,
    endpoint_error,
    flow_distillation,
    geometry,
    robust_weight,
)
from tfvfi.ops.tensor import Tensor

GEOMETRY_WEIGHT = 0.01
DISTILLATION_WEIGHT = 0.01
GUIDANCE_WEIGHT = 0.01


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the published loss of IFRNet; see `tfvfi.losses` for the contract.

    Without "flow" in the batch there is no distillation term, as the authors do for GoPro.
    """
    outputs = network({key: batch[key] for key in network.input_names}, training=training)
    terms = frame_terms(network, outputs, batch["target"])
    if "flow" in batch:
        terms["distillation"] = DISTILLATION_WEIGHT * distillation(outputs, batch["flow"])
    return sum(terms.values()), terms


def guided(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the published loss, but with direct supervision of the flow at every scale.

    It suits exact flow, such as that of `tfvfi.data.procedural`: motion is then learned many times
    faster than from frames alone.

    Raises:
        InputError: The batch contains no flow.
    """
    if "flow" not in batch:
        raise InputError(
            "the objective 'guided' learns from flow, which these records lack; name "
            "procedural:RECORDS, add flow with the command estimate-flow, or choose another"
        )
    outputs = network({key: batch[key] for key in network.input_names}, training=training)
    terms = frame_terms(network, outputs, batch["target"])
    terms["guidance"] = GUIDANCE_WEIGHT * guidance(outputs, batch["flow"])
    return sum(terms.values()), terms


def frame_terms(
    network: keras.Model, outputs: Mapping[str, Tensor], target: Tensor
) -> dict[str, Tensor]:
    """Returns the terms that compare the frame and its intermediate features with the true ones."""
    return {
        "charbonnier": charbonnier(outputs["frame"] - target),
        "census": census(outputs["frame"], target),
        "geometry": GEOMETRY_WEIGHT * sum(geometry_levels(network, outputs, target)),
    }


def guidance(outputs: Mapping[str, Tensor], flow: Tensor) -> Tensor:
    """Returns the endpoint errors of all flows, in pixels of the frames, summed over the scales."""
    size, total = images.size(flow), 0.0
    for final, part in ((outputs["flow0"], slice(0, 2)), (outputs["flow1"], slice(2, 4))):
        levels = [images.resize_flow(level[..., part], size) for level in outputs["flow_levels"]]
        total += sum(endpoint_error(found, flow[..., part]) for found in (final, *levels))
    return total


def geometry_levels(
    network: keras.Model, outputs: Mapping[str, Tensor], target: Tensor
) -> list[Tensor]:
    """Returns the geometry losses at 1/2, 1/4 and 1/8 of the size."""
    features = network.features(target - outputs["mean"])
    return [
        geometry(ops.cast(feature, "float32"), ops.cast(wanted, "float32"))
        for feature, wanted in zip(outputs["feature_levels"], features, strict=False)
    ]


def distillation(outputs: Mapping[str, Tensor], flow: Tensor) -> Tensor:
    """Returns the distillation losses of the coarser flows, in both directions."""
    total = 0.0
    for final, part in ((outputs["flow0"], slice(0, 2)), (outputs["flow1"], slice(2, 4))):
        teacher = flow[..., part]
        levels = [level[..., part] for level in outputs["flow_levels"]]
        total += flow_distillation(levels, teacher, robust_weight(final, teacher))
    return total
