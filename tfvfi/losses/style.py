"""The style loss: how far apart two images are in the correlations of VGG features.

A Gram matrix says which features occur together, wherever that is. Comparing them rewards texture
as crisp as the true one, also where it cannot be known exactly; FILM was trained with it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from tfvfi.losses.vgg import IMAGENET_DEVIATION, Vgg
from tfvfi.ops.tensor import Tensor

# The published layers of VGG-19 and what their differences are multiplied by.
LAYERS = {
    "relu1_2": 1 / 2.6,
    "relu2_2": 1 / 4.8,
    "relu3_2": 1 / 3.7,
    "relu4_2": 1 / 5.6,
    "relu5_2": 10 / 1.5,
}


def gram(features: Tensor) -> Tensor:
    """The Gram matrix of features: the mean over all pixels of every product of two channels.

    Args:
        features: (B, h, w, C).

    Returns:
        (B, C, C).

    Example:
        >>> import numpy as np
        >>> features = np.float32([[[[1, 2]], [[3, 0]]]])
        >>> np.asarray(gram(features))[0].tolist()
        [[5.0, 1.0], [1.0, 2.0]]
    """
    _, height, width, channels = ops.shape(features)
    pixels = ops.reshape(features, (-1, height * width, channels))
    return ops.matmul(ops.transpose(pixels, (0, 2, 1)), pixels) / ops.cast(
        height * width, "float32"
    )


class Style:
    """FILM's two losses in the features of VGG-19, which is frozen.

    The authors used Oxford's weights, which Keras offers as
    vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5; with these both losses are the published
    ones. With torchvision's, features are first made as large as Oxford's are.

    Args:
        weights: A file or arrays of weights, see `tfvfi.losses.vgg.Vgg`.
    """

    def __init__(self, weights: str | Path | Mapping[str, np.ndarray] | None):
        self._vgg = Vgg(weights, "vgg19", list(LAYERS)[-1], pool="average")
        # Features grow in proportion to the frames, which Oxford did not divide by a deviation.
        self._scale = 1.0 if self._vgg.by_oxford else 255 * float(np.mean(IMAGENET_DEVIATION))

    def features(self, image: Tensor) -> list[Tensor]:
        """The features of images in [0, 1], (B, H, W, 3), at all layers, as parts of 255."""
        features = self._vgg.features(image, list(LAYERS))
        return [feature * (self._scale / 255) for feature in features]

    def vgg(self, found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
        """Mean absolute differences of two images' features, weighted and summed."""
        return sum(
            weight * ops.mean(ops.abs(one - other))
            for weight, one, other in zip(LAYERS.values(), found, wanted, strict=True)
        )

    def style(self, found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
        """Mean squared differences of their Gram matrices, weighted and summed."""
        return sum(
            weight * ops.mean(ops.square(gram(one) - gram(other)))
            for weight, one, other in zip(LAYERS.values(), found, wanted, strict=True)
        )
