"""How the published files of Super SloMo name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import weight_and_bias

# A file trained by cycle consistency may also contain the teacher. The mean color is fixed here.
UNUSED = (r"teacher\..*", "mean_pix", r".*(vgg|grid_w|grid_h|tlinespace|resample2d).*")

LEVELS = 5


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network, in the published order."""
    return _nvidia() if config["form"] == "nvidia" else _paliwal()


def _nvidia() -> dict[str, str]:
    heads = {
        "flow": {"forward_flow_conv": "forward", "backward_flow_conv": "backward"},
        "refinement": {
            "flow_interp_forward_out_layer": "forward",
            "flow_interp_backward_out_layer": "backward",
            "flow_interp_vis_layer": "visibility",
        },
    }
    names = {}
    for theirs, ours in (("flow_pred", "flow"), ("flow_interp", "refinement")):
        for level in range(1, LEVELS + 1):
            names |= _two(f"{theirs}_encoder_layer{level}", (0, 2), f"{ours}/encoder{level}")
        names |= _two(f"{theirs}_bottleneck", (0, 2), f"{ours}/encoder{LEVELS + 1}")
        for level in range(LEVELS, 0, -1):
            names |= _two(f"{theirs}_decoder_layer{level}", (1, 3), f"{ours}/decoder{level}")
        names |= weight_and_bias(f"{theirs}_refine_layer.0", f"{ours}/refine")
        for head, name in heads[ours].items():
            names |= weight_and_bias(head, f"{ours}/{name}")
    return names


def _paliwal() -> dict[str, str]:
    names = {}
    for theirs, ours in (("state_dictFC", "flow"), ("state_dictAT", "refinement")):
        numbers = ("conv1", "conv2")
        names |= _two(theirs, numbers, f"{ours}/encoder1")
        for level in range(1, LEVELS + 1):
            names |= _two(f"{theirs}.down{level}", numbers, f"{ours}/encoder{level + 1}")
        for level in range(1, LEVELS + 1):
            names |= _two(f"{theirs}.up{level}", numbers, f"{ours}/decoder{LEVELS + 1 - level}")
        names |= weight_and_bias(f"{theirs}.conv3", f"{ours}/last")
    return names


def _two(theirs: str, numbers: tuple[Any, Any], ours: str) -> dict[str, str]:
    first, second = (f"{theirs}.{number}" for number in numbers)
    return {**weight_and_bias(first, f"{ours}/conv1"), **weight_and_bias(second, f"{ours}/conv2")}
