"""What the objectives of several networks share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfvfi.losses import Perceptual


def paint(network: Any, batch: Mapping[str, Any], training: bool) -> Any:
    """The frame that a network paints for a batch."""
    return network({key: batch[key] for key in network.input_names}, training=training)["frame"]


def features_of_vgg19(perceptual_weights: str | Path | Mapping[str, Any]) -> Callable:
    """An objective: the mean squared difference of features, which are sharper than colors.

    SepConv's and SoftSplat's papers tune with it what has learned colors before.

    Args:
        perceptual_weights: torchvision's file of VGG-19, see `tfvfi.losses.Perceptual`.
    """
    distance = Perceptual(perceptual_weights, layer="relu4_4", network="vgg19")

    def objective(
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        loss = distance(paint(network, batch, training), batch["target"])
        return loss, {"perceptual": loss}

    return objective
