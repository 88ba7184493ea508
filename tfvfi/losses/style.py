"""The style loss compares two images in the correlations of their VGG features.

A Gram matrix measures which features occur together, regardless of where. Comparing Gram matrices
rewards texture that is as crisp as the true one even where its exact position cannot be known. FILM
was trained with this loss.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from keras import ops

from tfvfi.losses.vgg import IMAGENET_DEVIATION, Vgg
from tfvfi.ops.tensor import Tensor

# The published layers of VGG-19 and the weights of their differences.
LAYERS = {
    "relu1_2": 1 / 2.6,
    "relu2_2": 1 / 4.8,
    "relu3_2": 1 / 3.7,
    "relu4_2": 1 / 5.6,
    "relu5_2": 10 / 1.5,
}


def gram(features: Tensor) -> Tensor:
    """Returns the Gram matrix of features: the mean over all pixels of the products of channels.

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
    """Computes FILM's two losses in the features of a frozen VGG-19 network.

    The authors used Oxford's weights, which Keras offers as
    vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5; with these both losses are the published
    ones. The features of torchvision's weights are first scaled to the magnitude of Oxford's.

    Args:
        weights: A file or arrays of weights; see `tfvfi.losses.vgg.Vgg`.

    Raises:
        InputError: The weights are missing or belong to another network.
    """

    def __init__(self, weights: str | Path | Mapping[str, np.ndarray] | None):
        self._vgg = Vgg(weights, "vgg19", list(LAYERS)[-1], pool="average")
        # Features are proportional to the frames, which Oxford did not divide by a deviation.
        self._scale = 1.0 if self._vgg.by_oxford else 255 * float(np.mean(IMAGENET_DEVIATION))

    def features(self, image: Tensor) -> list[Tensor]:
        """Returns the features of (B, H, W, 3) images in [0, 1] at all layers, in units of 255."""
        features = self._vgg.features(image, list(LAYERS))
        return [feature * (self._scale / 255) for feature in features]

    def vgg(self, found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
        """Returns the weighted sum over layers of the mean absolute differences of features."""
        return sum(
            weight * ops.mean(ops.abs(one - other))
            for weight, one, other in zip(LAYERS.values(), found, wanted, strict=True)
        )

    def style(self, found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
        """Returns the weighted sum over layers of the mean squared differences of Gram matrices."""
        return sum(
            weight * ops.mean(ops.square(gram(one) - gram(other)))
            for weight, one, other in zip(LAYERS.values(), found, wanted, strict=True)
        )
