"""The training objective of FlowNet 2.0: true flow if available, otherwise the frames alone."""

from collections.abc import Mapping

import keras

from tfvfi.losses import flow_difference, multi_scale_flow
from tfvfi.models.objectives import unsupervised
from tfvfi.ops.tensor import Tensor


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the loss of a flow estimator; see `tfvfi.losses` for the contract.

    If the batch contains "flow", the loss is the endpoint error as published: at five levels for a
    single network, of the final flow for a chain. In triplets the true flow leads from the target
    to both frames, in pairs from frame0 to frame1. Otherwise the loss is the photometric error and
    the smoothness of the flow from frame0 to frame1, which need no true flow.
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


def supervised(outputs: Mapping[str, Tensor], truth: Tensor, norm: str = "l1") -> Tensor:
    """Returns the published loss of the network's outputs, given the true flow in pixels."""
    if "flow_levels" in outputs:
        return multi_scale_flow(outputs["flow_levels"], truth, norm)[0]
    return flow_difference(outputs["flow"], truth, norm)
