"""The training objective of SepConv: colors, or then `objectives.features_of_vgg19`."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.models.objectives import paint


def l1(network: Any, batch: Mapping[str, Any], training: bool = True) -> tuple[Any, dict[str, Any]]:
    """Returns the mean absolute difference; see `tfvfi.losses` for the contract."""
    loss = ops.mean(ops.abs(paint(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}
