"""What FlowNet 2.0 is trained with: true flow where there is some, else the frames themselves."""

from collections.abc import Mapping
from typing import Any

from tfvfi.losses import flow_difference, multi_scale_flow
from tfvfi.models.objectives import unsupervised


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The loss of a flow estimator; see `tfvfi.losses` for what goes in and comes out.

    With "flow" in the batch, its endpoint error as published: at five levels for a network that
    stands alone, of the result for a chain. In triplets flow leads from the target to both frames,
    in pairs from frame0 to frame1. Without it, photometric error and smoothness of the flow from
    frame0 to frame1, which needs no truth.
    """
    if "flow" in batch and "target" not in batch:
        outputs = network({key: batch[key] for key in network.input_names}, training=training)
        terms = {"flow": supervised(outputs, batch["flow"])}
    elif "flow" in batch:
        terms = {
            f"flow{end}": supervised(
                network(
                    {"frame0": batch["target"], "frame1": batch[f"frame{end}"]}, training=training
                ),
                batch["flow"][..., 2 * end : 2 * end + 2],
            )
            for end in (0, 1)
        }
    else:
        pair = {key: batch[key] for key in network.input_names}
        flow = network(pair, training=training)["flow"]
        terms = unsupervised(pair["frame0"], pair["frame1"], flow)
    return sum(terms.values()), terms


def supervised(outputs: Mapping[str, Any], truth: Any, norm: str = "l1") -> Any:
    """The published loss of what the network gave, against the true flow in pixels."""
    if "flow_levels" in outputs:
        return multi_scale_flow(outputs["flow_levels"], truth, norm)[0]
    return flow_difference(outputs["flow"], truth, norm)
