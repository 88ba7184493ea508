"""The three training objectives of FILM.

All of them include the mean absolute difference. The weights of the two terms that compare features
change once, after half of the training, which shifts the emphasis from overall accuracy to texture.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
from keras import ops

from tfvfi.losses import Style
from tfvfi.models.objectives import paint
from tfvfi.ops.tensor import Tensor

Terms = tuple[Tensor, dict[str, Tensor]]
Weights = str | Path | Mapping[str, np.ndarray] | None

# Weights in the first and the second half of the training.
VGG, STYLE = (1.0, 0.25), (0.0, 40.0)
HALF = 0.5


def l1(network: keras.Model, batch: Mapping[str, Tensor], training: bool = True) -> Terms:
    """Returns the mean absolute difference; see `tfvfi.losses` for the contract."""
    loss = ops.mean(ops.abs(paint(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}


def vgg(perceptual_weights: Weights) -> Callable[..., Terms]:
    """Returns the objective of the L1 loss and the difference of VGG features.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG})


def style(perceptual_weights: Weights) -> Callable[..., Terms]:
    """Returns the objective of the L1 loss, VGG features and, in the second half, Gram matrices.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG, "style": STYLE})


def settled_style(perceptual_weights: Weights) -> Callable[..., Terms]:
    """Returns `style` as in the second half of the training, for fine-tuning any network.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG[1:] * 2, "style": STYLE[1:] * 2})


def _objective(
    perceptual_weights: Weights, schedule: Mapping[str, tuple[float, float]]
) -> Callable[..., Terms]:
    """Returns an objective of the L1 loss and of terms whose weights depend on the progress."""
    distance = Style(perceptual_weights)
    losses = {"vgg": distance.vgg, "style": distance.style}

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> Terms:
        frame, target = paint(network, batch, training), batch["target"]
        found, wanted = distance.features(frame), distance.features(target)
        terms = {"l1": ops.mean(ops.abs(frame - target))}
        for name, weights in schedule.items():
            terms[name] = _weight(weights, batch.get("progress")) * losses[name](found, wanted)
        return sum(terms.values()), terms

    return objective


def _weight(weights: tuple[float, float], progress: Tensor) -> Tensor:
    """Returns the weight at a given progress; without one, the weight of the second half."""
    first, second = weights
    return second if progress is None else ops.where(progress < HALF, first, second)
