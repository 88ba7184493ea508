"""The convolutions of AdaConv up to its features, for one window or for every position at once."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from tfvfi.layers import Block

# Side of the kernel and channels of each stage; after all but the last the size is halved.
STAGES = ((7, 32), (5, 64), (5, 128), (3, 256))
# How far apart, in pixels of the frame, the positions of a window's features are.
SPACING = 2 ** (len(STAGES) - 1)


@keras.saving.register_keras_serializable("tfvfi.adaconv")
class Trunk(Block):
    """Four convolutions; between them others that halve the size. No picture is padded."""

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
        self, picture: Any, above: Sequence[Any] = (), dense: bool = True, training: bool = False
    ) -> tuple[Any, list[Any]]:
        """Features of a picture, and what its convolutions keep for the rows below it.

        Args:
            picture: (B, H, W, 6). Densely computed, H and W are 77 more than a multiple of 8;
                below other rows, H is a multiple of 8.
            above: What was kept of the rows above; nothing where the picture begins.
            dense: Features of every position, side by side (B, H - 53, W - 53, 256); else of
                every eighth, which are all that a single window has.
            training: Whether the batch norms use the statistics of this very picture.
        """
        kept = []

        def convolved(conv: layers.Conv2D, rows: Any) -> Any:
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


def split(pictures: Any) -> Any:
    """The even and odd rows and columns of each picture as four pictures of half the size."""
    _, height, width, channels = ops.shape(pictures)
    pairs = ops.reshape(pictures, (-1, height // 2, 2, width // 2, 2, channels))
    return ops.reshape(
        ops.transpose(pairs, (0, 2, 4, 1, 3, 5)), (-1, height // 2, width // 2, channels)
    )


def join(quarters: Any) -> Any:
    """Undoes `split`."""
    _, height, width, channels = ops.shape(quarters)
    pairs = ops.reshape(quarters, (-1, 2, 2, height, width, channels))
    return ops.reshape(
        ops.transpose(pairs, (0, 3, 1, 4, 2, 5)), (-1, 2 * height, 2 * width, channels)
    )
