"""How the arrays of the Keras project name the weights of AdaConv."""

from collections.abc import Mapping
from typing import Any

# A batch norm of the input, which the project creates but never uses.
UNUSED = (r"batch_normalization/.*",)

NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    layers = {}
    for stage in (1, 2, 3, 4):
        layers[_conv(2 * stage - 2)] = f"trunk/conv{stage}"
        layers[f"batch_normalization_{stage}"] = f"trunk/norm{stage}"
        if stage < 4:
            layers[_conv(2 * stage - 1)] = f"trunk/halve{stage}"
    layers[_conv(7)], layers[_conv(8)] = "head/gather", "head/taps"
    return {
        f"{theirs}/{variable}": f"{ours}/{variable}"
        for theirs, ours in layers.items()
        for variable in (NORM if "norm" in theirs else ("kernel", "bias"))
    }


def _conv(number: int) -> str:
    return f"conv2d_{number}" if number else "conv2d"
