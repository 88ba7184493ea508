"""The training objective of PWC-Net: the true flow at five levels, the coarsest weighted most."""

from collections.abc import Mapping

import keras
from keras import ops

from tfvfi.errors import InputError
from tfvfi.losses import endpoint_error
from tfvfi.models.pwcnet.network import UNIT
from tfvfi.ops.tensor import Tensor

# Weights of the levels at 1/4, 1/8, ... 1/64 of the size.
WEIGHTS = (0.005, 0.01, 0.02, 0.08, 0.32)
FINEST = 4


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the published loss, averaged over each level's pixels where the paper sums.

    Args:
        network: The network.
        batch: "frame0", "frame1" and the "flow" between them, (B, H, W, 2) in pixels; the sides
            must be divisible by 64.
        training: Passed on to the network.

    Raises:
        InputError: The batch contains no flow.
    """
    if "flow" not in batch:
        raise InputError(
            f"{network.name} learns from true flow, and these records hold none; "
            "the objective 'photometric' needs frames alone"
        )
    pair = {key: batch[key] for key in network.input_names}
    levels = network(pair, training=training)["flow_levels"]
    terms = {}
    for at, (flow, weight) in enumerate(zip(levels, WEIGHTS, strict=True)):
        scale = FINEST * 2**at
        truth = ops.average_pool(batch["flow"] / UNIT, scale, scale)
        terms[f"level{at + 2}"] = weight * endpoint_error(flow, truth)
    return sum(terms.values()), terms
