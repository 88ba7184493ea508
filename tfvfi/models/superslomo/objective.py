"""What Super SloMo is trained with: the frame, its features, the warps, and smooth flow."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras import ops

from tfvfi.losses import Perceptual, mutual_warping, total_variation

# Published for brightness from 0 to 255 as 0.8 and 0.4; for [0, 1] Paliwal has them as here.
PIXEL_WEIGHT = 0.8 * 255
WARPING_WEIGHT = 0.4 * 255
PERCEPTUAL_WEIGHT = 0.005
SMOOTHNESS_WEIGHT = 1.0


def supervised(
    perceptual_weights: str | Path | Mapping[str, Any] | None = None,
) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """The published loss of both forms; see `tfvfi.losses` for what goes in and comes out.

    Args:
        perceptual_weights: torchvision's VGG-16 weights; without them the term is left out.

    Returns:
        `objective(network, batch, training=True)`.
    """
    perceptual = perceptual_term(perceptual_weights)

    def objective(
        network: Any, batch: Mapping[str, Any], training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
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
) -> Callable[[Any, Any, Any], dict[str, Any]]:
    """The term by its name for a frame, its target and the color subtracted; {} without weights."""
    if weights is None:
        return lambda frame, target, mean: {}
    # Published without the division that VGG was trained with.
    loss = Perceptual(weights, "conv4_3", mean=(0, 0, 0), deviation=(1, 1, 1))

    def term(frame: Any, target: Any, mean: Any) -> dict[str, Any]:
        mean = ops.convert_to_tensor(mean, "float32")
        return {"perceptual": PERCEPTUAL_WEIGHT * loss(frame - mean, target - mean)}

    return term


def l1(image: Any, target: Any) -> Any:
    """Mean absolute difference."""
    return ops.mean(ops.abs(image - target))
