"""The three losses that FILM was trained with."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.models.objectives import paint


def l1(network: Any, batch: Mapping[str, Any], training: bool = True) -> tuple[Any, dict[str, Any]]:
    """The mean absolute difference; see `tfvfi.losses` for what goes in and comes out."""
    loss = ops.mean(ops.abs(paint(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}
