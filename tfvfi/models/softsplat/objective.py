"""SoftSplat's training objective: Laplacian pyramids, or then `objectives.features_of_vgg19`."""

from collections.abc import Mapping
from typing import Any

from tfvfi.losses import laplacian
from tfvfi.models.objectives import paint


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Returns the paper's color loss, which scores best; see `tfvfi.losses` for the contract.

    Training is end to end: gradients reach the flow network through the splatting.
    """
    term = laplacian(paint(network, batch, training), batch["target"])
    return term, {"laplacian": term}
