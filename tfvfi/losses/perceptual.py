"""The perceptual loss: how far apart two images are in the features of a frozen VGG network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from tfvfi.losses.vgg import Vgg
from tfvfi.ops.tensor import Tensor


class Perceptual:
    """Mean squared difference of VGG features; the VGG network is frozen.

    Args:
        weights: A file or arrays of weights, see `tfvfi.losses.vgg.Vgg`.
        layer: What to compare: "conv4_3" before its ReLU, "relu4_3" after it.
        network: "vgg16" or "vgg19".
        mean: Subtracted from frames in [0, 1]; None for what the weights were trained with.
        deviation: Frames are divided by it then; None likewise.

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
        mean: Sequence[float] | None = None,
        deviation: Sequence[float] | None = None,
    ):
        self.layer = layer
        self._vgg = Vgg(weights, network, layer, mean, deviation)

    def __call__(self, image: Tensor, target: Tensor) -> Tensor:
        """The loss of (B, H, W, 3) images in [0, 1], each side at least 16 for block 4."""
        return ops.mean(ops.square(self.features(image) - self.features(target)))

    def features(self, image: Tensor) -> Tensor:
        """The features of images in [0, 1]: (B, h, w, C), float32."""
        (features,) = self._vgg.features(image, [self.layer])
        return features
