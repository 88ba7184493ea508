"""What SoftSplat is trained with: Laplacian pyramids of colors, or features of a VGG network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.losses import Perceptual, laplacian


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The color loss of its paper, which scores best; see `tfvfi.losses` for the contract.

    It is trained end to end: gradients reach the flow network through the splatting.
    """
    term = laplacian(_frame(network, batch, training), batch["target"])
    return term, {"laplacian": term}


def perceptual_objective(perceptual_weights: str | Path | Mapping[str, np.ndarray]) -> Callable:
    """The objective of the paper's other version, which keeps more detail; tunes the first.

    Args:
        perceptual_weights: torchvision's file of VGG-19, see `tfvfi.losses.Perceptual`.
    """
    loss = Perceptual(perceptual_weights, layer="relu4_4", network="vgg19")

    def perceptual(
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        term = loss(_frame(network, batch, training), batch["target"])
        return term, {"perceptual": term}

    return perceptual


def _frame(network: Any, batch: Mapping[str, Any], training: bool) -> Any:
    inputs = {key: batch[key] for key in network.input_names}
    return network(inputs, training=training)["frame"]
