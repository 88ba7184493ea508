"""How the published files of SepConv name its weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import module_for_net, weight_and_bias

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()


rename = module_for_net


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    names = {}
    for level in (1, 2, 3, 4, 5):
        names |= _convs(f"moduleConv{level}", f"encoder{level}", 3)
    for level in (5, 4, 3, 2):
        names |= _convs(f"moduleDeconv{level}", f"decoder{level}/triple", 3)
    for level in (5, 4, 3, 2):
        names |= weight_and_bias(f"moduleUpsample{level}.1", f"decoder{level}/last")
    for theirs in ("Vertical", "Horizontal"):
        for frame in (0, 1):
            key, ours = f"module{theirs}{frame + 1}", f"{theirs.lower()}{frame}"
            names |= _convs(key, ours, 3)
            names |= weight_and_bias(f"{key}.7", f"{ours}/last")
    return names


def _convs(theirs: str, ours: str, count: int) -> dict[str, str]:
    """Maps the keys of convolutions; each is followed by a ReLU, which the files count too."""
    names = {}
    for step in range(count):
        names |= weight_and_bias(f"{theirs}.{2 * step}", f"{ours}/conv{step}")
    return names
