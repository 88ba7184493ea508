"""PWC-Net: coarse-to-fine optical flow from a feature pyramid, warping and cost volumes.

    frame0 --> pyramid --.
                          +--> decoder 6 --> decoder 5 --> ... --> decoder 2 --> refiner --> flow
    frame1 --> pyramid --'

A decoder upsamples the flow of the coarser level, warps the second frame's features by it, and
predicts the flow from a cost volume that compares them with the first frame's features in a window
of 9 x 9. The finest flow has a quarter of the size and is upsampled bilinearly. The weights expect
colors in the order blue, green, red.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.layers import Block, Conv2D, Double, leaky_relu
from tfvfi.models.base import FlowEstimator
from tfvfi.ops import backward_warp, correlation, resize
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# The network estimates flow at a quarter of the size, in units of 20 pixels of the full size.
UNIT, QUARTER = 20.0, 4
# Channels of the pyramid's levels 1 to 6, of a decoder's convolutions, and of the refiner's
# convolutions with their dilations.
PYRAMID = (16, 32, 64, 96, 128, 196)
DECODER = (128, 128, 96, 64, 32)
REFINER = ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1))
# The levels that have a decoder, the coarsest first.
LEVELS = (6, 5, 4, 3, 2)


@keras.saving.register_keras_serializable("tfvfi")
class PWCNet(FlowEstimator):
    """PWC-Net as published for PyTorch by S. Niklaus.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("pwcnet", weights=None)
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 80, 3)).astype("uint8")
        >>> model.estimate(frame, np.roll(frame, 2, axis=1)).shape
        (48, 80, 2)
    """

    multiple = 64

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.pyramid = Pyramid(PYRAMID, 3, dtype=policy, name="pyramid")
        self.decoders = [Decoder(level, dtype=policy, name=f"decoder{level}") for level in LEVELS]
        self.refiner = Refiner(dtype=policy, name="refiner")

    def flow(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Estimates the flow from frame0 to frame1.

        Returns:
            "flow", and "flow_levels": the flows at 1/4, 1/8, ... 1/64 of the size in units of 20
            pixels of the full size, on which the network is trained.
        """
        levels = self.flow_levels(frame0, frame1)
        return {"flow": _enlarged(levels[0], images.size(frame0)), "flow_levels": levels}

    def flow_at_any_size(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow of a batch of any size, estimated at the next size divisible by 64."""
        size = images.size(frame0)
        inside = [images.next_multiple(side, self.multiple) for side in size]
        # As published, resized once: from a quarter of the inner size to the outer size.
        levels = self.flow_levels(*(resize(frame, inside) for frame in (frame0, frame1)))
        return _enlarged(levels[0], size)

    def flow_levels(self, frame0: Tensor, frame1: Tensor) -> list[Tensor]:
        """Returns flows from the finest level to the coarsest, in units of 20 pixels."""
        both = self.pyramid(ops.flip(ops.concatenate([frame0, frame1]), axis=-1))
        flows, features = [], None
        for level, decoder in zip(LEVELS, self.decoders, strict=True):
            first, second = ops.split(both[level - 1], 2)
            below = (flows[0], features) if flows else None
            flow, features = decoder(first, second, below)
            flows.insert(0, flow)
        return [flows[0] + self.refiner(features), *flows[1:]]


@keras.saving.register_keras_serializable("tfvfi.pwcnet")
class Pyramid(Block):
    """Extracts features of frames at 1/2, 1/4, ... of the size.

    Args:
        channels: Channels of each level.
        convolutions: Number of convolutions per level; the first halves the size.
    """

    def __init__(self, channels: Sequence[int], convolutions: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.convolutions = tuple(channels), convolutions
        self.levels = [
            [
                Conv2D(
                    count,
                    strides=1 if step else 2,
                    activation=leaky_relu,
                    dtype=self.dtype_policy,
                    name=f"level{level}_conv{step}",
                )
                for step in range(convolutions)
            ]
            for level, count in enumerate(channels, start=1)
        ]

    def call(self, frames: Tensor) -> list[Tensor]:
        """Returns the features, from the finest level to the coarsest."""
        found = []
        maps = frames
        for level in self.levels:
            for convolution in level:
                maps = convolution(maps)
            found.append(maps)
        return found


@keras.saving.register_keras_serializable("tfvfi.pwcnet")
class Decoder(Block):
    """Estimates the flow of one level from both frames' features and the coarser level's result.

    Args:
        level: From 6, at 1/64 of the size, to 2, at a quarter.
    """

    def __init__(self, level: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.level = level
        rounded = {"dtype": self.dtype_policy}
        # Flow stays float32 under every policy: bfloat16 would round it to tenths of a pixel.
        exact = {"dtype": "float32"}
        self.pixels = UNIT / 2**level
        if level < max(LEVELS):
            self.up_flow = Double(2, name="up_flow", **exact)
            self.up_features = Double(2, name="up_features", **rounded)
        self.convolutions = [
            Conv2D(count, activation=leaky_relu, name=f"conv{step}", **rounded)
            for step, count in enumerate(DECODER)
        ]
        self.predict_flow = Conv2D(2, name="predict_flow", **exact)

    def call(
        self, first: Tensor, second: Tensor, below: tuple[Tensor, Tensor] | None = None
    ) -> tuple:
        """Returns the flow of this level, in units of 20 pixels of the full size, and its features.

        Args:
            first: Features of the frame where the flow starts.
            second: Features of the frame where the flow ends.
            below: Flow and features of the coarser level.
        """
        known = []
        if below is not None:
            flow, features = below
            flow = self.up_flow(flow)
            second = backward_warp(second, self.pixels * flow, padding="masked")
            known = [first, flow, self.up_features(features)]
        maps = join([leaky_relu(correlation(first, second)), *known])
        for convolution in self.convolutions:
            maps = join([convolution(maps), maps])
        return self.predict_flow(maps), maps


@keras.saving.register_keras_serializable("tfvfi.pwcnet")
class Refiner(Block):
    """Corrects the finest flow by dilated convolutions with a large receptive field."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.convolutions = [
            Conv2D(
                count,
                dilation=dilation,
                activation=leaky_relu,
                dtype=self.dtype_policy,
                name=f"conv{step}",
            )
            for step, (count, dilation) in enumerate(REFINER)
        ]
        self.predict_flow = Conv2D(2, dtype="float32", name="predict_flow")

    def call(self, features: Tensor) -> Tensor:
        """Returns a correction of the flow, in the same unit."""
        for convolution in self.convolutions:
            features = convolution(features)
        return self.predict_flow(features)


def _enlarged(level: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Resizes the finest flow to another size, in pixels of that size."""
    return images.resize_flow(UNIT / QUARTER * level, size)
