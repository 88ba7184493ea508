"""The objectives a network can be trained with: its paper's own, and those that suit any network.

`find` returns the `Objective` of a name, and `build` returns the function itself:

    objective(network, batch, training=True) -> (total, terms)
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
from keras import ops

from tfvfi import losses
from tfvfi.errors import InputError
from tfvfi.models.preset import Objective, Preset
from tfvfi.ops.tensor import Tensor

# Compensates for squared differences of features, which are much larger than those of colors.
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

Terms = tuple[Tensor, dict[str, Tensor]]


def known(preset: Preset) -> dict[str, Objective]:
    """Returns every objective that suits a network, by name; the network's own take precedence."""
    return {each.name: each for each in (*GENERAL[preset.kind], *preset.objectives)}


def find(preset: Preset, name: str | None = None) -> Objective:
    """Returns the objective of that name, or by default the one that the network's paper uses.

    Raises:
        InputError: No objective of that name suits the network.

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
    """Returns the function of an objective.

    Args:
        objective: An objective from `find`.
        options: The user's options by name; None counts as not given.

    Raises:
        InputError: A required option is missing, or an option is not accepted.
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


def paint(network: keras.Model, batch: Mapping[str, Tensor], training: bool) -> Tensor:
    """Returns the frame that a network renders for a batch."""
    return network({key: batch[key] for key in network.input_names}, training=training)["frame"]


def l1(network: keras.Model, batch: Mapping[str, Tensor], training: bool = True) -> Terms:
    """Returns the mean absolute difference between the frame and the true one."""
    return _one("l1", ops.mean(ops.abs(paint(network, batch, training) - batch["target"])))


def charbonnier(network: keras.Model, batch: Mapping[str, Tensor], training: bool = True) -> Terms:
    """Returns the Charbonnier loss: a mean absolute difference that is smooth at zero."""
    difference = paint(network, batch, training) - batch["target"]
    return _one("charbonnier", losses.charbonnier(difference))


def laplacian(network: keras.Model, batch: Mapping[str, Tensor], training: bool = True) -> Terms:
    """Returns the difference between the Laplacian pyramids of both frames."""
    return _one("laplacian", losses.laplacian(paint(network, batch, training), batch["target"]))


def perceptual(perceptual_weights: Any) -> Callable[..., Terms]:
    """Returns an objective of the mean absolute difference and the difference of VGG features.

    Args:
        perceptual_weights: torchvision's VGG-16 weights, of which relu4_3 is compared.
    """
    features = losses.Perceptual(perceptual_weights, layer="relu4_3")

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> Terms:
        frame = paint(network, batch, training)
        terms = {
            "l1": ops.mean(ops.abs(frame - batch["target"])),
            "perceptual": PERCEPTUAL_WEIGHT * features(frame, batch["target"]),
        }
        return sum(terms.values()), terms

    return objective


def features_of_vgg19(perceptual_weights: str | Path | Mapping[str, Any]) -> Callable[..., Terms]:
    """Returns an objective that compares frames by the mean squared difference of VGG features.

    Training with it gives sharper detail than color losses. The papers of SepConv and SoftSplat
    use it to fine-tune weights that were first trained on colors.

    Args:
        perceptual_weights: torchvision's VGG-19 weights, see `tfvfi.losses.Perceptual`.
    """
    distance = losses.Perceptual(perceptual_weights, layer="relu4_4", network="vgg19")

    def objective(
        network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
    ) -> Terms:
        loss = distance(paint(network, batch, training), batch["target"])
        return loss, {"perceptual": loss}

    return objective


def photometric(network: keras.Model, batch: Mapping[str, Tensor], training: bool = True) -> Terms:
    """Returns the photometric error and smoothness of a flow estimator, which need no true flow."""
    pair = {key: batch[key] for key in network.input_names}
    flow = network(pair, training=training)["flow"]
    terms = unsupervised(pair["frame0"], pair["frame1"], flow)
    return sum(terms.values()), terms


def unsupervised(frame0: Tensor, frame1: Tensor, flow: Tensor) -> dict[str, Tensor]:
    """Returns photometric error and smoothness, both averaged over the pixels."""
    pixels = ops.cast(ops.prod(ops.shape(flow)[1:3]), "float32")
    return {
        "photometric": losses.photometric(frame0, frame1, flow) / pixels,
        "smoothness": losses.smoothness(flow) / pixels,
    }


def _one(name: str, value: Any) -> Terms:
    return value, {name: value}
