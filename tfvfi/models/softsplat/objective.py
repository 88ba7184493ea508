"""What SoftSplat is trained with: Laplacian pyramids, or then `objectives.features_of_vgg19`."""

from collections.abc import Mapping
from typing import Any

from tfvfi.losses import laplacian
from tfvfi.models.objectives import paint


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The color loss of its paper, which scores best; see `tfvfi.losses` for the contract.

    It is trained end to end: gradients reach the flow network through the splatting.
    """
    term = laplacian(paint(network, batch, training), batch["target"])
    return term, {"laplacian": term}
