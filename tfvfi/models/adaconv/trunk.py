"""AdaConv's convolutions up to its features, for one window or densely for every position."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from tfvfi.layers import Block
from tfvfi.ops.tensor import Tensor

# Kernel size and channels of each stage; the size is halved after every stage but the last.
STAGES = ((7, 32), (5, 64), (5, 128), (3, 256))
# Distance, in pixels of the frame, between the feature positions of a window.
SPACING = 2 ** (len(STAGES) - 1)


@keras.saving.register_keras_serializable("tfvfi.adaconv")
class Trunk(Block):
    """Four convolutions and, between them, others that halve the size; none of them pads."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.convs, self.norms, self.halves = [], [], []
        for number, (side, width) in enumerate(STAGES, start=1):
            self.convs.append(self._conv(width, side, f"conv{number}"))
            self.norms.append(
                layers.BatchNormalization(dtype=self.dtype_policy, name=f"norm{number}")
            )
            if number < len(STAGES):
                self.halves.append(self._conv(width, 2, f"halve{number}"))

    def call(
        self,
        picture: Tensor,
        above: Sequence[Tensor] = (),
        dense: bool = True,
        training: bool = False,
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the features of a picture, and the rows to keep for the strip below.

        Args:
            picture: (B, H, W, 6). If dense, H and W are 77 more than a multiple of 8; below other
                rows, H is a multiple of 8.
            above: What was kept of the strip above; empty at the top of the picture.
            dense: Whether to compute the features of every position, (B, H - 53, W - 53, 256), or
                only of every eighth, which is all that a single window has.
            training: Whether the batch norms use the statistics of this picture.
        """
        kept = []

        def convolved(conv: layers.Conv2D, rows: Tensor) -> Tensor:
            if above:
                rows = ops.concatenate([above[len(kept)], rows], axis=1)
            kept.append(rows[:, 1 - conv.kernel_size[0] :])
            return conv(rows)

        features = picture
        for conv, norm, halve in zip(self.convs, self.norms, [*self.halves, None], strict=True):
            features = norm(convolved(conv, features), training=training)
            if halve is not None:
                features = convolved(halve, features)
                features = split(features) if dense else features[:, ::2, ::2]
        if dense:
            for _ in self.halves:
                features = join(features)
        return features, kept

    def _conv(self, width: int, side: int, name: str) -> layers.Conv2D:
        return layers.Conv2D(width, side, activation="relu", dtype=self.dtype_policy, name=name)


def split(pictures: Tensor) -> Tensor:
    """Splits each picture by even and odd rows and columns into four pictures of half the size."""
    _, height, width, channels = ops.shape(pictures)
    pairs = ops.reshape(pictures, (-1, height // 2, 2, width // 2, 2, channels))
    return ops.reshape(
        ops.transpose(pairs, (0, 2, 4, 1, 3, 5)), (-1, height // 2, width // 2, channels)
    )


def join(quarters: Tensor) -> Tensor:
    """Reverses `split`."""
    _, height, width, channels = ops.shape(quarters)
    pairs = ops.reshape(quarters, (-1, 2, 2, height, width, channels))
    return ops.reshape(
        ops.transpose(pairs, (0, 3, 1, 4, 2, 5)), (-1, 2 * height, 2 * width, channels)
    )
