"""How the published files of IFRNet name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import weight_and_bias

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    names = {}
    for level in range(1, len(config["widths"]) + 1):
        for step in range(2):
            names |= _conv_prelu(
                f"encoder.pyramid{level}.{step}", f"encoder/level{level}/conv{step}"
            )
    for level in (4, 3, 2, 1):
        theirs, ours = f"decoder{level}.convblock", f"decoder{level}"
        names |= _conv_prelu(f"{theirs}.0", f"{ours}/conv")
        for conv in (1, 2, 3, 4):
            names |= _conv_prelu(f"{theirs}.1.conv{conv}", f"{ours}/residual/conv{conv}")
        names |= weight_and_bias(f"{theirs}.1.conv5", f"{ours}/residual/conv5")
        names[f"{theirs}.1.prelu.weight"] = f"{ours}/residual/prelu/alpha"
        names |= weight_and_bias(f"{theirs}.2", f"{ours}/double")
    return names


def _conv_prelu(theirs: str, ours: str) -> dict[str, str]:
    return {**weight_and_bias(f"{theirs}.0", ours), f"{theirs}.1.weight": f"{ours}/prelu/alpha"}
