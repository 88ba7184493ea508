"""How the published files of SoftSplat name their weights."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.names import module_for_net, weight_and_bias
from tfvfi.models.softsplat.flow import DECODER, PYRAMID
from tfvfi.models.softsplat.grid import grid_edges
from tfvfi.models.softsplat.synthesis import CHANNELS, COLUMNS, METRIC_CHANNELS, METRIC_COLUMNS

# Every published tensor is a weight of the network.
UNUSED: tuple[str, ...] = ()

rename = module_for_net

ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
NUMBERS = ("One", "Two", "Thr")
# An edge that goes up begins with upsampling, which counts as a layer.
FIRST_LAYER = {"across": 0, "down": 0, "up": 1}


def variable_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Maps each published key to a variable of the network."""
    synthesis = "moduleSynthesis"
    metric = f"{synthesis}.moduleSoftmetric"
    return {
        **_flow("moduleFlow"),
        **_encoder(f"{synthesis}.moduleEncode"),
        f"{metric}.moduleInput.weight": "metric/frame/kernel",
        f"{metric}.moduleError.weight": "metric/error/kernel",
        **_grid(metric, "metric/grid", len(METRIC_CHANNELS), METRIC_COLUMNS),
        **_bridge(f"{metric}.moduleOutput", "metric/output"),
        **_bridge(f"{synthesis}.moduleWarp.moduleOne", "merger/level0"),
        **_bridge(f"{synthesis}.moduleWarp.moduleTwo", "merger/level1"),
        **_bridge(f"{synthesis}.moduleWarp.moduleThr", "merger/level2"),
        **_grid(synthesis, "painter/grid", len(CHANNELS), COLUMNS),
        **_bridge(f"{synthesis}.moduleOutput", "painter/output"),
    }


def _flow(theirs: str) -> dict[str, str]:
    names = {}
    for level, ordinal in enumerate(ORDINALS[: len(PYRAMID)], start=1):
        for step in range(2):
            names |= weight_and_bias(
                f"{theirs}.moduleExtractor.module{ordinal}.{2 * step}",
                f"flow/pyramid/level{level}_conv{step}",
            )
    steps = [f"conv{step}" for step in range(len(DECODER))] + ["predict_flow"]
    for level, ordinal in enumerate(ORDINALS, start=1):
        for at, step in enumerate(steps):
            names |= weight_and_bias(
                f"{theirs}.module{ordinal}.moduleMain.{2 * at}", f"flow/decoder{level}/{step}"
            )
    return names


def _encoder(theirs: str) -> dict[str, str]:
    names = {}
    for level, number in enumerate(NUMBERS):
        for step in range(2):
            ours = f"encoder/level{level}_conv{step}"
            names[f"{theirs}.module{number}.{2 * step}.weight"] = f"{ours}/kernel"
            names[f"{theirs}.module{number}.{2 * step + 1}.weight"] = f"{ours}/prelu/alpha"
    return names


def _grid(theirs: str, ours: str, rows: int, columns: tuple[str, ...]) -> dict[str, str]:
    names = {}
    for edge, kind, _ in grid_edges(rows, columns):
        layers = ("prelu0/alpha", "conv0/kernel", "prelu1/alpha", "conv1/kernel")
        for at, layer in enumerate(layers, start=FIRST_LAYER[kind]):
            published = f"{theirs}.{edge.replace('_', ' - ')}.moduleMain.{at}.weight"
            names[published] = f"{ours}/{edge}/{layer}"
    return names


def _bridge(theirs: str, ours: str) -> dict[str, str]:
    return {
        f"{theirs}.moduleMain.0.weight": f"{ours}/conv0/kernel",
        f"{theirs}.moduleMain.1.weight": f"{ours}/prelu/alpha",
        f"{theirs}.moduleMain.2.weight": f"{ours}/conv1/kernel",
        f"{theirs}.moduleShortcut.weight": f"{ours}/shortcut/kernel",
    }
