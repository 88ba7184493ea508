"""The training objective of SepConv: colors, or then `objectives.features_of_vgg19`."""

from collections.abc import Mapping

import keras
from keras import ops

from tfvfi.models.objectives import paint
from tfvfi.ops.tensor import Tensor


def l1(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the mean absolute difference; see `tfvfi.losses` for the contract."""
    loss = ops.mean(ops.abs(paint(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}
