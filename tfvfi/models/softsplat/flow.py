"""The flow network of SoftSplat: a smaller PWC-Net that estimates both directions."""

from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.layers import Block, Conv2D, leaky_relu
from tfvfi.models.pwcnet.network import Pyramid
from tfvfi.ops import backward_warp, correlation, resize
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# Channels of the pyramid's levels 1 to 6, and of a decoder's convolutions.
PYRAMID = (16, 32, 64, 96, 128, 192)
DECODER = (128, 128, 96, 64, 32)
# The levels that have a decoder, the coarsest first.
LEVELS = (6, 5, 4, 3, 2, 1)


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class FlowNetwork(Block):
    """Estimates the flow from each frame to the other, with shared weights."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.pyramid = Pyramid(PYRAMID, 2, dtype=policy, name="pyramid")
        self.decoders = [Decoder(dtype=policy, name=f"decoder{level}") for level in LEVELS]

    def call(self, frames: Tensor) -> list[Tensor]:
        """Returns flows in pixels of their own size: at full size, 1/2, 1/4, ... 1/64.

        Args:
            frames: All first frames, followed by all second frames, normalized.

        Returns:
            Flows from the first frames to the second ones, followed by the reverse flows.
        """
        features = self.pyramid(frames)
        flows = []
        for level, decoder in zip(LEVELS, self.decoders, strict=True):
            first = features[level - 1]
            second = ops.concatenate(ops.split(first, 2)[::-1])
            flows.insert(0, decoder(first, second, flows[0] if flows else None))
        return [resize_flow_by_width(flows[0], images.size(frames)), *flows]


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Decoder(Block):
    """Estimates the flow of one level from both frames' features and the coarser level's flow."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.convolutions = [
            Conv2D(count, activation=leaky_relu, dtype=self.dtype_policy, name=f"conv{step}")
            for step, count in enumerate(DECODER)
        ]
        # Flow stays float32 under every policy: bfloat16 would round it to tenths of a pixel.
        self.predict_flow = Conv2D(2, dtype="float32", name="predict_flow")

    def call(self, first: Tensor, second: Tensor, below: Tensor | None = None) -> Tensor:
        """Returns the flow of this level, in its own pixels.

        Args:
            first: Features of the frame where the flow starts.
            second: Features of the frame where the flow ends.
            below: The flow of the coarser level.
        """
        known = []
        if below is not None:
            flow = resize_flow_by_width(below, images.size(first))
            second = backward_warp(second, flow, padding="zeros")
            known = [flow]
        maps = join([first, correlation(first, second), *known])
        for convolution in self.convolutions:
            maps = convolution(maps)
        return self.predict_flow(maps)


def resize_flow_by_width(flow: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Resizes flow; as published, both components are scaled by the ratio of the widths."""
    widths = [ops.cast(width, "float32") for width in (images.size(flow)[1], size[1])]
    return resize(flow, size) * (widths[1] / widths[0])
