"""How FILM's published SavedModels and training checkpoints name their variables."""

from collections.abc import Mapping
from typing import Any

# What training stores beside the weights: Adam's moments, its learning rate, unnamed variables.
UNUSED: tuple[str, ...] = (r"Adam/.*", r".*/(m|v|Adam)", r"learning_rate", r"beta_[12]", r"decay")


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    names = {}
    for number in range(2 * config["sub_levels"]):
        names |= _kernel_and_bias(
            f"feat_net/sub_extractor/cfeat_conv_{number}", f"features/conv{number}"
        )
    for level, convolutions in enumerate(config["flow_convolutions"]):
        shared = level == config["specialized_levels"]
        theirs, ours = ("shared", "flow_shared") if shared else (level, f"flow{level}")
        for number in range(convolutions + 2):
            names |= _kernel_and_bias(
                f"predict_flow/flow_predictor_{theirs}/conv_{number}", f"{ours}/conv{number}"
            )
    # Keras itself numbered the layers of the decoder, starting at the finest level.
    inside = [
        f"level{level}_{layer}"
        for level in range(config["fusion_levels"] - 1)
        for layer in ("double", "conv0", "conv1")
    ]
    for number, layer in enumerate((*inside, "output")):
        suffix = f"_{number}" if number else ""
        names |= _kernel_and_bias(f"fusion/conv2d{suffix}", f"fusion/{layer}")
    return names


def _kernel_and_bias(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}/{part}": f"{ours}/{part}" for part in ("kernel", "bias")}
