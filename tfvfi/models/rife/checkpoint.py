"""How the published files of RIFE name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import weight_and_bias
from tfvfi.models.rife.blocks import CONVOLUTIONS
from tfvfi.models.rife.refinement import LEVELS

# Blocks that are used in training only, for networks without a teacher.
UNUSED = (r"(block_tea|teacher|caltime)\..*",)


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    names = {}
    for number in range(len(config["widths"])):
        names |= _block(f"block{number}", f"pyramid/block{number}", config["form"])
    if config["teacher"]:
        names |= _block("block_tea", "teacher", config["form"])
    if config["encoded"]:
        for number in range(3):
            names |= weight_and_bias(f"encode.cnn{number}", f"encoder/conv{number}")
        names |= weight_and_bias("encode.cnn3", "encoder/double")
    if config["context"]:
        for level in range(1, LEVELS + 1):
            names |= _halve(f"contextnet.conv{level}", f"context/level{level}")
        for level in range(LEVELS):
            names |= _halve(f"unet.down{level}", f"refiner/down{level}")
        for level in range(LEVELS):
            names |= _prelu(f"unet.up{level}", f"refiner/up{level}")
        names |= weight_and_bias("unet.conv", "refiner/conv")
    return names


def _block(theirs: str, ours: str, form: str) -> dict[str, str]:
    activated = _leaky if form == "scaled" else _prelu
    names = {}
    for number in range(2):
        names |= activated(f"{theirs}.conv0.{number}", f"{ours}/shrink{number}")
    for number in range(CONVOLUTIONS):
        conv = f"{ours}/conv{number}"
        if form == "pairs":
            names |= _prelu(f"{theirs}.convblock{number // 2}.{number % 2}", conv)
        elif form == "chain":
            names |= _prelu(f"{theirs}.convblock.{number}", conv)
        else:
            names[f"{theirs}.convblock.{number}.beta"] = f"{conv}/scale/beta"
            names |= weight_and_bias(f"{theirs}.convblock.{number}.conv", conv)
    if form == "pairs":
        for head, name in (("conv1", "flow"), ("conv2", "mask")):
            names |= weight_and_bias(f"{theirs}.{head}.0", f"{ours}/{name}/double0")
            names[f"{theirs}.{head}.1.weight"] = f"{ours}/{name}/double0/prelu/alpha"
            names |= weight_and_bias(f"{theirs}.{head}.2", f"{ours}/{name}/double1")
    elif form == "chain":
        names |= weight_and_bias(f"{theirs}.lastconv", f"{ours}/head")
    else:
        names |= weight_and_bias(f"{theirs}.lastconv.0", f"{ours}/head")
    return names


def _prelu(theirs: str, ours: str) -> dict[str, str]:
    return {**weight_and_bias(f"{theirs}.0", ours), f"{theirs}.1.weight": f"{ours}/prelu/alpha"}


def _leaky(theirs: str, ours: str) -> dict[str, str]:
    return weight_and_bias(f"{theirs}.0", ours)


def _halve(theirs: str, ours: str) -> dict[str, str]:
    return {
        **_prelu(f"{theirs}.conv1", f"{ours}/conv1"),
        **_prelu(f"{theirs}.conv2", f"{ours}/conv2"),
    }
