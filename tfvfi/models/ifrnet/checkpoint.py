"""How the published files of IFRNet name their weights."""

from collections.abc import Mapping
from typing import Any

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Published key -> variable inside the network, in the published order."""
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
        names |= _conv(f"{theirs}.1.conv5", f"{ours}/residual/conv5")
        names[f"{theirs}.1.prelu.weight"] = f"{ours}/residual/prelu/alpha"
        names |= _conv(f"{theirs}.2", f"{ours}/double")
    return names


def _conv(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.weight": f"{ours}/kernel", f"{theirs}.bias": f"{ours}/bias"}


def _conv_prelu(theirs: str, ours: str) -> dict[str, str]:
    return {**_conv(f"{theirs}.0", ours), f"{theirs}.1.weight": f"{ours}/prelu/alpha"}
