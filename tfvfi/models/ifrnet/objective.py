"""What IFRNet is trained with: the frame, the structure of its features, and a teacher's flow."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.losses import census, charbonnier, flow_distillation, geometry, robust_weight

GEOMETRY_WEIGHT = 0.01
DISTILLATION_WEIGHT = 0.01


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The loss of IFRNet as published; see `tfvfi.losses` for what goes in and comes out.

    Without "flow" in the batch there is no distillation, as its authors do for GoPro.
    """
    outputs = network({key: batch[key] for key in network.input_names}, training=training)
    terms = {
        "charbonnier": charbonnier(outputs["frame"] - batch["target"]),
        "census": census(outputs["frame"], batch["target"]),
        "geometry": GEOMETRY_WEIGHT * sum(geometry_levels(network, outputs, batch["target"])),
    }
    if "flow" in batch:
        terms["distillation"] = DISTILLATION_WEIGHT * distillation(outputs, batch["flow"])
    return sum(terms.values()), terms


def geometry_levels(network: Any, outputs: Mapping[str, Any], target: Any) -> list[Any]:
    """Geometry losses at 1/2, 1/4 and 1/8 of the size."""
    features = network.features(target - outputs["mean"])
    return [
        geometry(ops.cast(feature, "float32"), ops.cast(wanted, "float32"))
        for feature, wanted in zip(outputs["feature_levels"], features, strict=False)
    ]


def distillation(outputs: Mapping[str, Any], flow: Any) -> Any:
    """Distillation losses of the coarser flows, of both directions."""
    total = 0.0
    for final, part in ((outputs["flow0"], slice(0, 2)), (outputs["flow1"], slice(2, 4))):
        teacher = flow[..., part]
        levels = [level[..., part] for level in outputs["flow_levels"]]
        total += flow_distillation(levels, teacher, robust_weight(final, teacher))
    return total
