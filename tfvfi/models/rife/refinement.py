"""The refinement of version 4.0: a residual for the blended frame, estimated by a small U-Net.

Features of both frames at 1/2, 1/4, 1/8 and 1/16 of their size are warped by the flow. The U-Net
reads them together with the frames, the warped frames, the mask and the flow.
"""

from typing import Any

import keras
from keras import ops

from tfvfi.layers import Block, Conv2D, ConvPReLU, DoublePReLU
from tfvfi.ops import backward_warp, resize
from tfvfi.ops.channels import join, split
from tfvfi.ops.tensor import Tensor

LEVELS = 4


@keras.saving.register_keras_serializable("tfvfi")
class Context(Block):
    """Extracts features of a frame at 1/2, 1/4, 1/8 and 1/16 of its size.

    Args:
        width: Channels at half the size; each smaller size has twice as many.
    """

    def __init__(self, width: int = 16, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        self.halves = [
            Halve(width * 2**level, dtype=self.dtype_policy, name=f"level{level + 1}")
            for level in range(LEVELS)
        ]

    def call(self, frame: Tensor) -> list[Tensor]:
        """Returns the features, from fine to coarse."""
        features = [frame]
        for halve in self.halves:
            features.append(halve(features[-1]))
        return features[1:]


@keras.saving.register_keras_serializable("tfvfi")
class Refiner(Block):
    """The U-Net that estimates the residual.

    Args:
        width: See `Context`.
    """

    def __init__(self, width: int = 16, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        policy = self.dtype_policy
        self.downs = [
            Halve(2 * width * 2**level, dtype=policy, name=f"down{level}")
            for level in range(LEVELS)
        ]
        self.ups = [
            DoublePReLU(width * 2 ** (LEVELS - 1 - level), dtype=policy, name=f"up{level}")
            for level in range(LEVELS)
        ]
        self.conv = Conv2D(3, dtype=policy, name="conv")

    def call(self, known: Tensor, contexts: list[Tensor]) -> Tensor:
        """Returns the residual in [-1, 1].

        Args:
            known: Frames, warped frames, mask and flow.
            contexts: Warped features of both frames, from fine to coarse.
        """
        skipped = [self.downs[0](known)]
        for down, context in zip(self.downs[1:], contexts, strict=False):
            skipped.append(down(join([skipped[-1], context])))
        refined = self.ups[0](join([skipped.pop(), contexts[-1]]))
        for up in self.ups[1:]:
            refined = up(join([refined, skipped.pop()]))
        return 2 * ops.sigmoid(ops.cast(self.conv(refined), "float32")) - 1


@keras.saving.register_keras_serializable("tfvfi")
class Halve(Block):
    """Two convolutions, the first of which halves the size.

    Args:
        width: Output channels.
    """

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        self.conv1 = ConvPReLU(width, strides=2, dtype=self.dtype_policy, name="conv1")
        self.conv2 = ConvPReLU(width, dtype=self.dtype_policy, name="conv2")

    def call(self, feature: Tensor) -> Tensor:
        """Returns the feature at half the size."""
        return self.conv2(self.conv1(feature))


def warped_contexts(features0: list[Tensor], features1: list[Tensor], flow: Tensor) -> list[Tensor]:
    """Warps features of both frames by the flows and concatenates them, from fine to coarse."""
    warped = []
    for feature0, feature1 in zip(features0, features1, strict=True):
        flow = resize(flow, 0.5) / 2
        flow0, flow1 = split(flow, (2, 2))
        pair = [backward_warp(feature0, flow0), backward_warp(feature1, flow1)]
        warped.append(join(pair))
    return warped
