"""The perceptual loss: how far apart two images are in the features of a frozen VGG network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops.tensor import Tensor

# Convolutions in each of the five blocks, and the channels that they give.
DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
FILES = {"vgg16": "vgg16-397923af.pth", "vgg19": "vgg19-dcbb9e9d.pth"}
# What torchvision's networks were trained on: frames minus this, divided by that.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class Perceptual:
    """Mean squared difference of VGG features; the VGG network is frozen.

    Args:
        weights: torchvision's file of weights (.pth, .safetensors or .npz), or its arrays by
            their published names. Layers behind the one that is asked for may be missing.
        layer: What to compare: "conv4_3" before its ReLU, "relu4_3" after it.
        network: "vgg16" or "vgg19".
        mean: Subtracted from frames in [0, 1].
        deviation: Frames are divided by it then.

    Raises:
        InputError: The layer is unknown, or the weights are missing or of another network.

    Example:
        >>> import numpy as np
        >>> from tfvfi.losses import Perceptual
        >>> arrays = {"features.0.weight": np.ones((64, 3, 3, 3), "float32") / 27,
        ...           "features.0.bias": np.zeros(64, "float32")}
        >>> loss = Perceptual(arrays, layer="conv1_1", mean=(0, 0, 0), deviation=(1, 1, 1))
        >>> image = np.full((1, 8, 8, 3), 0.5, "float32")
        >>> float(loss(image, image))
        0.0
    """

    def __init__(
        self,
        weights: str | Path | Mapping[str, np.ndarray] | None,
        layer: str = "conv4_3",
        network: str = "vgg16",
        mean: Sequence[float] = IMAGENET_MEAN,
        deviation: Sequence[float] = IMAGENET_DEVIATION,
    ):
        if network not in DEPTHS:
            raise InputError(f"network is one of {', '.join(DEPTHS)}. Received: {network!r}")
        names = _layer_names(network)
        if layer.replace("relu", "conv") not in names:
            raise InputError(
                f"{network} has layers conv1_1, relu1_1, ..., {names[-1]}. Received: {layer!r}"
            )
        self.layer = layer
        self.network = network
        self._mean = np.array(mean, "float32")
        self._deviation = np.array(deviation, "float32")
        # Tensors, not variables: nothing can train them, and nobody saves them with a network.
        self._convolutions = {
            name: tuple(map(ops.convert_to_tensor, arrays))
            for name, arrays in _read(weights, network, layer).items()
        }

    def __call__(self, image: Tensor, target: Tensor) -> Tensor:
        """The loss of (B, H, W, 3) images in [0, 1], each side at least 16 for block 4."""
        return ops.mean(ops.square(self.features(image) - self.features(target)))

    def features(self, image: Tensor) -> Tensor:
        """The features of images in [0, 1]: (B, h, w, C), float32."""
        feature = (ops.cast(image, "float32") - self._mean) / self._deviation
        for name, (kernel, bias) in self._convolutions.items():
            if name.endswith("_1") and name != "conv1_1":
                feature = ops.max_pool(feature, 2, 2)
            feature = ops.conv(feature, kernel, padding="same") + bias
            if name != self.layer:
                feature = ops.relu(feature)
        return feature


def _layer_names(network: str) -> list[str]:
    return [
        f"conv{block}_{number}"
        for block, depth in enumerate(DEPTHS[network], start=1)
        for number in range(1, depth + 1)
    ]


def _read(
    weights: str | Path | Mapping[str, np.ndarray] | None, network: str, layer: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of every convolution up to the layer, laid out as Keras wants them."""
    from tfvfi.checkpoints import read
    from tfvfi.checkpoints.layout import arranged

    if weights is None or (isinstance(weights, str | Path) and not Path(weights).is_file()):
        raise InputError(_how_to_get(weights, network))
    tensors = weights if isinstance(weights, Mapping) else read(weights).tensors
    source = "what was given" if isinstance(weights, Mapping) else weights
    names = _layer_names(network)
    found, channels = {}, 3
    for name in names[: names.index(layer.replace("relu", "conv")) + 1]:
        index, width = _published_index(name, network), WIDTHS[int(name[4]) - 1]
        shapes = {"weight": (3, 3, channels, width), "bias": (width,)}
        arrays = []
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
            arrays.append(array.astype("float32"))
        found[name], channels = tuple(arrays), width
    return found


def _published_index(name: str, network: str) -> int:
    """torchvision counts ReLUs and poolings too."""
    block, number = int(name[4]), int(name[6:])
    return sum(2 * depth + 1 for depth in DEPTHS[network][: block - 1]) + 2 * (number - 1)


def _how_to_get(weights: str | Path | None, network: str) -> str:
    missing = "none was named" if weights is None else f"there is no file {weights}"
    return (
        f"the perceptual loss needs the weights of {network}, and {missing}: get "
        f"{FILES[network]}, which torchvision offers (licence: BSD-3-Clause, trained on ImageNet), "
        "and name it by perceptual_weights"
    )
