"""Frame synthesis in SoftSplat: encoder, metric, splatting at three levels, and final GridNet."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.layers import Block, Conv2D, ConvPReLU
from tfvfi.models.softsplat.flow import resize_flow_by_width
from tfvfi.models.softsplat.grid import Bridge, Grid
from tfvfi.ops import resize, softmax_splat
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# Channels at full, half and quarter size, and column directions of the final GridNet.
CHANNELS, COLUMNS = (32, 64, 96), ("down", "down", "down", "up", "up", "up")
# The same for the metric's grid, whose first row has METRIC_ERROR channels that read the error.
METRIC_CHANNELS, METRIC_COLUMNS = (16, 32, 64, 96), ("down", "up")
METRIC_ERROR = 4
# Within exp(+-20), float32 sums of weights do not lose the contribution of a pixel.
CLIP = 20.0


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Encoder(Block):
    """Extracts features of frames at three levels; the first also contains the frame itself."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        plain = {"use_bias": False, "dtype": self.dtype_policy}
        self.levels = [
            [
                ConvPReLU(count, strides=1 if step or not level else 2, name=name, **plain)
                for step, name in enumerate((f"level{level}_conv0", f"level{level}_conv1"))
            ]
            for level, count in enumerate(CHANNELS)
        ]

    def call(self, frames: Tensor) -> list[Tensor]:
        """Returns features from full size to a quarter."""
        found = []
        maps = frames
        for first, second in self.levels:
            maps = second(first(maps))
            found.append(maps)
        found[0] = join([frames, found[0]], ops.dtype(maps))
        return found


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Metric(Block):
    """Estimates occlusion: the larger the metric, the less a pixel counts where several arrive."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        plain = {"use_bias": False, "dtype": policy}
        self.frame = Conv2D(METRIC_CHANNELS[0] - METRIC_ERROR, name="frame", **plain)
        self.error = Conv2D(METRIC_ERROR, name="error", **plain)
        self.grid = Grid(METRIC_CHANNELS, METRIC_COLUMNS, dtype=policy, name="grid")
        self.output_layer = Bridge(METRIC_CHANNELS[0], 1, dtype=policy, name="output")

    def call(self, frames: Tensor, difference: Tensor) -> Tensor:
        """Returns the metric of every pixel, (B, H, W, 1), float32.

        Args:
            frames: Normalized frames.
            difference: Their difference from the other frame along the flow, (B, H, W, 1).
        """
        seen = join([self.frame(frames), self.error(difference)])
        return ops.cast(self.output_layer(self.grid([seen])), "float32")


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Merger(Block):
    """Splats the features of both frames to a time and merges them."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.bridges = [
            Bridge(count, count, dtype=self.dtype_policy, name=f"level{level}")
            for level, count in enumerate(CHANNELS)
        ]

    def call(
        self,
        features0: Sequence[Tensor],
        features1: Sequence[Tensor],
        flow0: Tensor,
        flow1: Tensor,
        metric0: Tensor,
        metric1: Tensor,
    ) -> list[Tensor]:
        """Returns merged features from full size to a quarter.

        Args:
            features0: The encoder's features of the first frame.
            features1: The encoder's features of the second frame.
            flow0: The flow from the first frame to the time, at full size.
            flow1: The flow from the second frame to the time, at full size.
            metric0: The metric of the first frame's pixels, scaled for that time.
            metric1: The metric of the second frame's pixels, scaled for that time.
        """
        merged = []
        carried = [(flow0, metric0), (flow1, metric1)]
        for bridge, *features in zip(self.bridges, features0, features1, strict=True):
            size = images.size(features[0])
            # As published, flow and metric are resized from the previous level, not from full size.
            carried = [
                (resize_flow_by_width(flow, size), resize(metric, size)) for flow, metric in carried
            ]
            splatted = [
                _splat(maps, flow, metric)
                for maps, (flow, metric) in zip(features, carried, strict=True)
            ]
            merged.append(bridge(join(splatted)))
        return merged


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Painter(Block):
    """Synthesizes the frame from merged features with a GridNet."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.grid = Grid(CHANNELS, COLUMNS, dtype=policy, name="grid")
        self.output_layer = Bridge(CHANNELS[0], 3, dtype=policy, name="output")

    def call(self, merged: Sequence[Tensor]) -> Tensor:
        """Returns the normalized frame, float32."""
        return ops.cast(self.output_layer(self.grid(merged)), "float32")


def _splat(features: Tensor, flow: Tensor, metric: Tensor) -> Tensor:
    """Splats features with their metric; where several pixels arrive, the smallest metric wins."""
    carried = join([features, metric])
    return softmax_splat(carried, flow, ops.clip(-metric, -CLIP, CLIP))
