"""How the published files of FlowNet 2.0 name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.flownet2.network import network_names
from tfvfi.models.flownet2.subnetworks import PLANS, Plan
from tfvfi.models.names import weight_and_bias

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network."""
    kinds = dict(zip(network_names(config["chain"]), config["chain"], strict=True))
    if config["fusion"]:
        kinds |= {"flownets_d": "sd", "flownetfusion": "fusion"}
    # A checkpoint with a single network does not contain its name.
    alone = len(kinds) == 1
    names = {}
    for network, kind in kinds.items():
        for theirs, ours in _layer_variables(PLANS[kind]).items():
            names[theirs if alone else f"{network}.{theirs}"] = f"{network}/{ours}"
    return names


def _layer_variables(plan: Plan) -> dict[str, str]:
    names = {}
    sequential = [
        *plan.encoder,
        *(f"deconv{level}" for level in plan.deconvolutions),
        *(f"inter_conv{level}" for level in plan.smoothing),
    ]
    for layer in sequential:
        names |= weight_and_bias(f"{layer}.0", layer)
    for level in (plan.coarsest, *plan.levels):
        names |= weight_and_bias(f"predict_flow{level}", f"predict_flow{level}")
    for level in plan.levels:
        layer = f"upsampled_flow{level + 1}_to_{level}"
        names[f"{layer}.weight"] = f"{layer}/kernel"
        if plan.enlarging_bias:
            names[f"{layer}.bias"] = f"{layer}/bias"
    return names
