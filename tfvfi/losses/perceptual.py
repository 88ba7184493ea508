"""The perceptual loss compares two images in the features of a frozen VGG network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from tfvfi.losses.vgg import Vgg
from tfvfi.ops.tensor import Tensor


class Perceptual:
    """Computes the mean squared difference of two images in the features of a frozen VGG network.

    Args:
        weights: A file or arrays of weights; see `tfvfi.losses.vgg.Vgg`.
        layer: The layer to compare: "conv4_3" is its output before the ReLU, "relu4_3" after it.
        network: "vgg16" or "vgg19".
        mean: The mean to subtract from frames in [0, 1]. None stands for the mean that the weights
            were trained with.
        deviation: The divisor applied after that. None stands for the one that the weights were
            trained with.

    Raises:
        InputError: The layer is unknown, or the weights are missing or belong to another network.

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
        mean: Sequence[float] | None = None,
        deviation: Sequence[float] | None = None,
    ):
        self.layer = layer
        self._vgg = Vgg(weights, network, layer, mean, deviation)

    def __call__(self, image: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of (B, H, W, 3) images in [0, 1]; block 4 needs sides of at least 16."""
        return ops.mean(ops.square(self.features(image) - self.features(target)))

    def features(self, image: Tensor) -> Tensor:
        """Returns the features of images in [0, 1], (B, h, w, C), float32."""
        (features,) = self._vgg.features(image, [self.layer])
        return features
