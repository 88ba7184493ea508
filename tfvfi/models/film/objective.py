"""The three losses that FILM was trained with.

All include the mean absolute difference. The weights of the two losses that compare features change
once, after half of the training, when the network turns from overall accuracy to texture.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from tfvfi.losses import Style
from tfvfi.models.objectives import paint

Terms = tuple[Any, dict[str, Any]]
Weights = str | Path | Mapping[str, np.ndarray] | None

# Weights in the first and in the second half.
VGG, STYLE = (1.0, 0.25), (0.0, 40.0)
HALF = 0.5


def l1(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
    """The mean absolute difference; see `tfvfi.losses` for what goes in and comes out."""
    loss = ops.mean(ops.abs(paint(network, batch, training) - batch["target"]))
    return loss, {"l1": loss}


def vgg(perceptual_weights: Weights) -> Callable[..., Terms]:
    """The L1 loss and the differences of VGG features.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG})


def style(perceptual_weights: Weights) -> Callable[..., Terms]:
    """The L1 loss, the differences of VGG features and, from the half on, those of Gram matrices.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG, "style": STYLE})


def settled_style(perceptual_weights: Weights) -> Callable[..., Terms]:
    """`style` as it is in the second half of a training, to fine-tune any network with.

    Args:
        perceptual_weights: Weights of VGG-19, see `tfvfi.losses.Style`.
    """
    return _objective(perceptual_weights, {"vgg": VGG[1:] * 2, "style": STYLE[1:] * 2})


def _objective(
    perceptual_weights: Weights, schedule: Mapping[str, tuple[float, float]]
) -> Callable[..., Terms]:
    """An objective of the L1 loss and of losses whose weights change with the progress."""
    distance = Style(perceptual_weights)
    losses = {"vgg": distance.vgg, "style": distance.style}

    def objective(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
        frame, target = paint(network, batch, training), batch["target"]
        found, wanted = distance.features(frame), distance.features(target)
        terms = {"l1": ops.mean(ops.abs(frame - target))}
        for name, weights in schedule.items():
            terms[name] = _weight(weights, batch.get("progress")) * losses[name](found, wanted)
        return sum(terms.values()), terms

    return objective


def _weight(weights: tuple[float, float], progress: Any) -> Any:
    """The weight at a share of the training; the last one where there is none."""
    first, second = weights
    return second if progress is None else ops.where(progress < HALF, first, second)
