"""A frozen VGG network that provides features for comparing images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from tfvfi.errors import ArgumentError, InputError
from tfvfi.ops.tensor import Tensor

# The number of convolutions in each of the five blocks, and their output channels.
DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
FILES = {"vgg16": "vgg16-397923af.pth", "vgg19": "vgg19-dcbb9e9d.pth"}
# torchvision's networks were trained on frames minus this mean, divided by this deviation.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# Oxford's networks, which Keras offers, were trained on frames from 0 to 255.
OXFORD_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
OXFORD_DEVIATION = (1 / 255, 1 / 255, 1 / 255)
# "average" pads an odd row or column, as the published style loss does.
POOLS = {
    "max": lambda maps: ops.max_pool(maps, 2, 2),
    "average": lambda maps: ops.average_pool(maps, 2, 2, padding="same"),
}


class Vgg:
    """Computes the convolutions of a VGG network up to a layer.

    Args:
        weights: torchvision's weight file (.pth, .safetensors or .npz), Oxford's as Keras offers it
            (.h5), or their arrays by name. Layers after the last one may be missing.
        network: "vgg16" or "vgg19".
        last: The last layer: "conv4_3" is its output before the ReLU, "relu4_3" after it.
        mean: The mean to subtract from frames in [0, 1]. None stands for the mean that the weights
            were trained with.
        deviation: The divisor applied after that. None stands for the one that the weights were
            trained with.
        pool: How the size is halved between blocks, "max" or "average".

    Attributes:
        by_oxford: Whether the weights are Oxford's.

    Raises:
        InputError: The layer is unknown, or the weights are missing or belong to another network.
    """

    def __init__(
        self,
        weights: str | Path | Mapping[str, np.ndarray] | None,
        network: str,
        last: str,
        mean: Sequence[float] | None = None,
        deviation: Sequence[float] | None = None,
        pool: str = "max",
    ):
        if network not in DEPTHS:
            raise ArgumentError(f"network is one of {', '.join(DEPTHS)}. Received: {network!r}")
        names = _layer_names(network)
        if last.replace("relu", "conv") not in names:
            raise ArgumentError(
                f"{network} has layers conv1_1, relu1_1, ..., {names[-1]}. Received: {last!r}"
            )
        tensors = _tensors(weights, network)
        self.by_oxford = any(name.startswith("block1_conv1/") for name in tensors)
        if self.by_oxford:
            tensors, usual = _from_oxford(tensors, network), (OXFORD_MEAN, OXFORD_DEVIATION)
        else:
            usual = IMAGENET_MEAN, IMAGENET_DEVIATION
        self._mean = np.array(usual[0] if mean is None else mean, "float32")
        self._deviation = np.array(usual[1] if deviation is None else deviation, "float32")
        self._pool = POOLS[pool]
        source = "what was given" if isinstance(weights, Mapping) else weights
        # Tensors rather than variables, so that they are neither trained nor saved with a network.
        self._convolutions = {
            name: tuple(map(ops.convert_to_tensor, arrays))
            for name, arrays in _arranged(tensors, network, last, source).items()
        }

    def features(self, image: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """Returns the features of images in [0, 1] at the given layers, (B, h, w, C), float32."""
        feature = (ops.cast(image, "float32") - self._mean) / self._deviation
        found = {}
        for name, (kernel, bias) in self._convolutions.items():
            if name.endswith("_1") and name != "conv1_1":
                feature = self._pool(feature)
            found[name] = ops.conv(feature, kernel, padding="same") + bias
            found[name.replace("conv", "relu")] = feature = ops.relu(found[name])
        return [found[layer] for layer in layers]


def _layer_names(network: str) -> list[str]:
    return [
        f"conv{block}_{number}"
        for block, depth in enumerate(DEPTHS[network], start=1)
        for number in range(1, depth + 1)
    ]


def _tensors(
    weights: str | Path | Mapping[str, np.ndarray] | None, network: str
) -> Mapping[str, np.ndarray]:
    from tfvfi.checkpoints import read

    if isinstance(weights, Mapping):
        return weights
    if weights is None or not Path(weights).is_file():
        raise InputError(_how_to_get(weights, network))
    return read(weights).tensors


def _from_oxford(tensors: Mapping[str, np.ndarray], network: str) -> dict[str, np.ndarray]:
    """Returns Keras's arrays under torchvision's names and for RGB; they were trained on BGR."""
    found = {}
    for name in _layer_names(network):
        for key, values in tensors.items():
            if not key.startswith(f"block{name[4]}_conv{name[6:]}/"):
                continue
            if values.ndim == 4 and values.shape[:2] == (3, 3):
                values = values.transpose(3, 2, 0, 1)
            if name == "conv1_1" and values.ndim == 4:
                values = values[:, ::-1]
            part = "weight" if values.ndim == 4 else "bias"
            found[f"features.{_published_index(name, network)}.{part}"] = values
    return found


def _arranged(
    tensors: Mapping[str, np.ndarray], network: str, last: str, source: Any
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns kernel and bias of every convolution up to `last`, in the layout of Keras."""
    from tfvfi.checkpoints.layout import arranged

    names = _layer_names(network)
    found, channels = {}, 3
    for name in names[: names.index(last.replace("relu", "conv")) + 1]:
        index, width = _published_index(name, network), WIDTHS[int(name[4]) - 1]
        shapes = {"weight": (3, 3, channels, width), "bias": (width,)}
        arrays: dict[str, np.ndarray] = {}
        for part, shape in shapes.items():
            key = f"features.{index}.{part}"
            values = tensors.get(key)
            path = "kernel" if part == "weight" else "bias"
            if values is None or (array := arranged(values, path, shape)) is None:
                received = "nothing" if values is None else f"shape {values.shape}"
                raise InputError(
                    f"{source} does not hold torchvision's {network} (at {key} it has {received}); "
                    f"get {FILES[network]}"
                )
            arrays[part] = array.astype("float32")
        found[name], channels = (arrays["weight"], arrays["bias"]), width
    return found


def _published_index(name: str, network: str) -> int:
    """Returns torchvision's index of a convolution, which also counts ReLUs and poolings."""
    block, number = int(name[4]), int(name[6:])
    return sum(2 * depth + 1 for depth in DEPTHS[network][: block - 1]) + 2 * (number - 1)


def _how_to_get(weights: str | Path | None, network: str) -> str:
    missing = "none was named" if weights is None else f"there is no file {weights}"
    return (
        f"the perceptual loss needs the weights of {network}, and {missing}: get "
        f"{FILES[network]}, which torchvision offers (licence: BSD-3-Clause, trained on ImageNet), "
        "and name it by perceptual_weights"
    )
