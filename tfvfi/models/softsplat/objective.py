"""SoftSplat's training objective: Laplacian pyramids, or then `objectives.features_of_vgg19`."""

from collections.abc import Mapping

import keras

from tfvfi.losses import laplacian
from tfvfi.models.objectives import paint
from tfvfi.ops.tensor import Tensor


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the paper's color loss, which scores best; see `tfvfi.losses` for the contract.

    Training is end to end: gradients reach the flow network through the splatting.
    """
    term = laplacian(paint(network, batch, training), batch["target"])
    return term, {"laplacian": term}
