"""The training objective of Super SloMo: frame, features, warped frames, and smooth flow."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
from keras import ops

from tfvfi.losses import Perceptual, mutual_warping, total_variation
from tfvfi.ops.tensor import Tensor

# Published as 0.8 and 0.4 for values from 0 to 255; Paliwal's weights for [0, 1] equal these.
PIXEL_WEIGHT = 0.8 * 255
WARPING_WEIGHT = 0.4 * 255
PERCEPTUAL_WEIGHT = 0.005
SMOOTHNESS_WEIGHT = 1.0


def supervised(
    perceptual_weights: str | Path | Mapping[str, Any] | None = None,
) -> Callable[..., tuple[Tensor, dict[str, Tensor]]]:
    """Returns the published objective of both forms; see `tfvfi.losses` for the contract.

    Args:
        perceptual_weights: torchvision's VGG-16 weights; without them the term is left out.

    Returns:
        `objective(network, batch, training=True)`.
    """
    perceptual = perceptual_term(perceptual_weights)

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> tuple[Tensor, dict[str, Tensor]]:
        outputs = network({key: batch[key] for key in network.input_names}, training=training)
        target = batch["target"]
        flows = outputs["flow01"], outputs["flow10"]
        warps = [l1(outputs[name], target) for name in ("raw_warped0", "raw_warped1")]
        warps.append(mutual_warping(batch["frame0"], batch["frame1"], *flows, network.warp))
        terms = {
            "pixel": PIXEL_WEIGHT * l1(outputs["frame"], target),
            **perceptual(outputs["frame"], target, network.mean),
            "warping": WARPING_WEIGHT * sum(warps),
            "smoothness": SMOOTHNESS_WEIGHT * sum(map(total_variation, flows)),
        }
        return sum(terms.values()), terms

    return objective


def perceptual_term(
    weights: str | Path | Mapping[str, Any] | None,
) -> Callable[[Tensor, Tensor, Tensor], dict[str, Tensor]]:
    """Returns a function that gives the perceptual term by name, or {} without weights."""
    if weights is None:
        return lambda frame, target, mean: {}
    # As published, without the division by the deviation that VGG was trained with.
    loss = Perceptual(weights, "conv4_3", mean=(0, 0, 0), deviation=(1, 1, 1))

    def term(frame: Tensor, target: Tensor, mean: Tensor) -> dict[str, Tensor]:
        mean = ops.convert_to_tensor(mean, "float32")
        return {"perceptual": PERCEPTUAL_WEIGHT * loss(frame - mean, target - mean)}

    return term


def l1(image: Tensor, target: Tensor) -> Tensor:
    """Returns the mean absolute difference."""
    return ops.mean(ops.abs(image - target))
