"""What SepConv is trained with: the color alone, or the features of a VGG network."""

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from tfvfi.losses import Perceptual

# Whose features the paper compares.
FEATURES = {"network": "vgg19", "layer": "relu4_4"}


def l1(network: Any, batch: Mapping[str, Any], training: bool = True) -> tuple[Any, dict[str, Any]]:
    """The mean absolute difference; see `tfvfi.losses` for what goes in and comes out."""
    loss = ops.mean(ops.abs(_frame(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}


def perceptual(perceptual_weights: Any) -> Callable:
    """An objective: the mean squared difference of features, which are sharper than colors.

    Args:
        perceptual_weights: torchvision's file of VGG-19, or its arrays by their names.
    """
    distance = Perceptual(perceptual_weights, **FEATURES)

    def objective(
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        loss = distance(_frame(network, batch, training), batch["target"])
        return loss, {"perceptual": loss}

    return objective


def _frame(network: Any, batch: Mapping[str, Any], training: bool) -> Any:
    inputs = {key: batch[key] for key in network.input_names}
    return network(inputs, training=training)["frame"]
