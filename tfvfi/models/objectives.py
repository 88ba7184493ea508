"""What a network can be trained with: its paper's own objective, and those that suit any.

`find` turns a name into an `Objective` and `build` into the function itself,

    objective(network, batch, training=True) -> (total, terms)
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras import ops

from tfvfi import losses
from tfvfi.errors import InputError
from tfvfi.models.preset import Objective, Preset

# Squared differences of features are so much larger than differences of colors.
PERCEPTUAL_WEIGHT = 0.005

HERE, CYCLE = "tfvfi.models.objectives", "tfvfi.models.cycle"
VGG = ("perceptual_weights",)
CYCLE_TERMS = ("pixel", "perceptual", "warping", "smoothness")
GENERAL: Mapping[str, tuple[Objective, ...]] = {
    "interpolator": (
        Objective("l1", f"{HERE}:l1", terms=("l1",)),
        Objective("charbonnier", f"{HERE}:charbonnier", terms=("charbonnier",)),
        Objective("laplacian", f"{HERE}:laplacian", terms=("laplacian",)),
        Objective("perceptual", f"{HERE}:perceptual", options=VGG, terms=("l1", "perceptual")),
        Objective(
            "style",
            "tfvfi.models.film.objective:settled_style",
            options=VGG,
            terms=("l1", "vgg", "style"),
        ),
        Objective("cycle", f"{CYCLE}:cycle", "cycle", VGG, CYCLE_TERMS),
        Objective(
            "cycle_pseudo",
            f"{CYCLE}:cycle_pseudo",
            "cycle",
            ("teacher", *VGG),
            (*CYCLE_TERMS, "teacher"),
        ),
    ),
    "flow": (
        Objective("photometric", f"{HERE}:photometric", "pair", (), ("photometric", "smoothness")),
    ),
}

Terms = tuple[Any, dict[str, Any]]


def known(preset: Preset) -> dict[str, Objective]:
    """Every objective that suits a network, by name; its own come first."""
    return {each.name: each for each in (*GENERAL[preset.kind], *preset.objectives)}


def find(preset: Preset, name: str | None = None) -> Objective:
    """The objective of that name; without a name, the one that the network's paper trains with.

    Raises:
        InputError: No such objective suits it.

    Example:
        >>> from tfvfi.models.index import preset
        >>> find(preset("ifrnet_s")).name
        'ifrnet'
        >>> find(preset("ifrnet_s"), "cycle").batch
        'cycle'
    """
    suiting = known(preset)
    if name is None:
        name = preset.objectives[0].name if preset.objectives else next(iter(suiting))
    if name not in suiting:
        raise InputError(
            f"there is no objective '{name}' for {preset.name}; those that suit it are: "
            + ", ".join(suiting)
        )
    return suiting[name]


def build(objective: Objective, options: Mapping[str, Any]) -> Callable[..., Terms]:
    """The function itself.

    Args:
        objective: From `find`.
        options: What the user gave, by name; None counts as not given.

    Raises:
        InputError: An option is needed that was not given, or was given that is not taken.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in objective.options:
            raise InputError(f"the objective '{objective.name}' takes no `{name}`; leave it out")
    module, _, attribute = objective.function.partition(":")
    function = getattr(importlib.import_module(module), attribute)
    if not objective.options:
        return function
    parameters = inspect.signature(function).parameters
    for name in objective.options:
        if name not in given and parameters[name].default is inspect.Parameter.empty:
            raise InputError(f"the objective '{objective.name}' needs `{name}`")
    return function(**given)


def paint(network: Any, batch: Mapping[str, Any], training: bool) -> Any:
    """The frame that a network paints for a batch."""
    return network({key: batch[key] for key in network.input_names}, training=training)["frame"]


def l1(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
    """Mean absolute difference of the frame and the true one."""
    return _one("l1", ops.mean(ops.abs(paint(network, batch, training) - batch["target"])))


def charbonnier(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
    """The same, round at zero."""
    difference = paint(network, batch, training) - batch["target"]
    return _one("charbonnier", losses.charbonnier(difference))


def laplacian(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
    """Differences of both frames' Laplacian pyramids."""
    return _one("laplacian", losses.laplacian(paint(network, batch, training), batch["target"]))


def perceptual(perceptual_weights: Any) -> Callable[..., Terms]:
    """Mean absolute difference, and that of VGG features behind the tenth convolution.

    Args:
        perceptual_weights: torchvision's file of VGG16.
    """
    features = losses.Perceptual(perceptual_weights, layer="relu4_3")

    def objective(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
        frame = paint(network, batch, training)
        terms = {
            "l1": ops.mean(ops.abs(frame - batch["target"])),
            "perceptual": PERCEPTUAL_WEIGHT * features(frame, batch["target"]),
        }
        return sum(terms.values()), terms

    return objective


def features_of_vgg19(perceptual_weights: str | Path | Mapping[str, Any]) -> Callable[..., Terms]:
    """An objective: the mean squared difference of features, which are sharper than colors.

    SepConv's and SoftSplat's papers tune with it what has learned colors before.

    Args:
        perceptual_weights: torchvision's file of VGG-19, see `tfvfi.losses.Perceptual`.
    """
    distance = losses.Perceptual(perceptual_weights, layer="relu4_4", network="vgg19")

    def objective(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
        loss = distance(paint(network, batch, training), batch["target"])
        return loss, {"perceptual": loss}

    return objective


def photometric(network: Any, batch: Mapping[str, Any], training: bool = True) -> Terms:
    """For flow estimators, without any truth: colors that match, and smoothness."""
    pair = {key: batch[key] for key in network.input_names}
    flow = network(pair, training=training)["flow"]
    terms = unsupervised(pair["frame0"], pair["frame1"], flow)
    return sum(terms.values()), terms


def unsupervised(frame0: Any, frame1: Any, flow: Any) -> dict[str, Any]:
    """Photometric error and smoothness, a pixel."""
    pixels = ops.cast(ops.prod(ops.shape(flow)[1:3]), "float32")
    return {
        "photometric": losses.photometric(frame0, frame1, flow) / pixels,
        "smoothness": losses.smoothness(flow) / pixels,
    }


def _one(name: str, value: Any) -> Terms:
    return value, {name: value}
