"""How the published files of PWC-Net name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import module_for_net, weight_and_bias
from tfvfi.models.pwcnet.network import DECODER, LEVELS, PYRAMID, REFINER

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()

NUMBERS = ("One", "Two", "Thr", "Fou", "Fiv", "Six")


rename = module_for_net


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network."""
    names = {}
    for level in range(1, len(PYRAMID) + 1):
        for step in range(3):
            theirs = f"moduleExtractor.module{NUMBERS[level - 1]}.{2 * step}"
            names |= weight_and_bias(theirs, f"pyramid/level{level}_conv{step}")
    for level in sorted(LEVELS):
        theirs, ours = f"module{NUMBERS[level - 1]}", f"decoder{level}"
        if level < max(LEVELS):
            names |= weight_and_bias(f"{theirs}.moduleUpflow", f"{ours}/up_flow")
            names |= weight_and_bias(f"{theirs}.moduleUpfeat", f"{ours}/up_features")
        steps = [f"conv{step}" for step in range(len(DECODER))] + ["predict_flow"]
        for number, step in zip(NUMBERS, steps, strict=True):
            names |= weight_and_bias(f"{theirs}.module{number}.0", f"{ours}/{step}")
    steps = [f"conv{step}" for step in range(len(REFINER))] + ["predict_flow"]
    for at, step in enumerate(steps):
        names |= weight_and_bias(f"moduleRefiner.moduleMain.{2 * at}", f"refiner/{step}")
    return names
