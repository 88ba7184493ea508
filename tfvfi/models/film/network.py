"""FILM: frame interpolation for large motion, with features shared across scales.

One extractor computes features of every level of both image pyramids. Motion of the same size in
pixels therefore has similar features at every level, and the coarse levels share one flow
predictor. Each finer level warps the other frame's features by the current flow and corrects that
flow. Images and features are then warped to the middle by half of both flows, and the decoder of a
U-Net fuses them into the frame.

Pyramids are lists that start at the finest level. Both directions of flow are estimated together,
as one batch of twice the size.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import ArgumentError, InputError
from tfvfi.layers import Block, Conv2D
from tfvfi.models.base import Interpolator
from tfvfi.models.middle import MIDDLE, check_middle
from tfvfi.models.preset import AnyTimes
from tfvfi.ops import backward_warp, resize
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Side, Tensor

BORDERS = ("zeros", "none")
# Computed once per pair, for every fused level.
PYRAMIDS = ("images0", "images1", "features0", "features1", "flows01", "flows10")
# Keras's default slope is 0.2, as in the paper.
ACTIVATION = "leaky_relu"


@keras.saving.register_keras_serializable("tfvfi")
class FILM(Interpolator):
    """FILM of any size; the defaults are the published network of 34.4 million parameters.

    The flow leads from one frame to the other and the published network warps by half of it, so the
    weights support the middle only. Other times are reached by recursion, as the authors do.

    Args:
        levels: Levels of the pyramid on which motion is estimated.
        fusion_levels: Levels that are warped and fused.
        specialized_levels: Number of finest levels with flow predictors of their own.
        sub_levels: Levels that the extractor computes from each level of the image pyramid.
        filters: Channels of the extractor's first level; they double with every level.
        flow_filters: Channels of the flow predictors: of each specialized level, then of the
            shared one.
        flow_convolutions: Number of 3 x 3 convolutions in each of these predictors.
        time_scaling: Whether to scale the flows by the time, which renders any time in one step.
            This assumes straight motion at constant speed, and published weights were trained on
            the middle only. It is faster, but less accurate than the published recursion.
        border: What `interpolate` does with sizes that are not divisible by 64: "zeros" centers
            the frames in black, as the authors' command line does; "none" passes them on
            unchanged, as the authors' evaluation on benchmarks does.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("film", weights=None, filters=4, flow_filters=(4, 4, 4, 4))
        >>> frames = np.zeros((2, 1, 64, 128, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.5])})
        >>> sorted(out)
        ['flow0', 'flow1', 'flow_levels', 'frame', 'warped0', 'warped1']
    """

    def __init__(
        self,
        levels: int = 7,
        fusion_levels: int = 5,
        specialized_levels: int = 3,
        sub_levels: int = 4,
        filters: int = 64,
        flow_filters: Sequence[int] = (32, 64, 128, 256),
        flow_convolutions: Sequence[int] = (3, 3, 3, 3),
        time_scaling: bool = False,
        border: str = "zeros",
        times: AnyTimes | Sequence[float] = (MIDDLE,),
        **kwargs: Any,
    ):
        if not 1 <= specialized_levels < levels or not 2 <= fusion_levels <= levels:
            raise ArgumentError(
                "specialized_levels must be at least 1 and below levels, fusion_levels at least 2 "
                f"and not above levels. Received: levels={levels}, "
                f"specialized_levels={specialized_levels}, fusion_levels={fusion_levels}"
            )
        predictors = specialized_levels + 1
        if not len(flow_filters) == len(flow_convolutions) == predictors:
            raise ArgumentError(
                f"flow_filters and flow_convolutions have {predictors} numbers each, one for each "
                "specialized level and one for the levels that share a predictor. "
                f"Received: {tuple(flow_filters)} and {tuple(flow_convolutions)}"
            )
        if border not in BORDERS:
            raise ArgumentError(f"border is one of {', '.join(BORDERS)}. Received: {border!r}")
        if not time_scaling and tuple(times) != (MIDDLE,):
            raise ArgumentError(
                f"this network answers time {MIDDLE} only, unless time_scaling=True. "
                f"Received: times={times!r}"
            )
        self.time_scaling = time_scaling
        super().__init__(times=times, **kwargs)
        self.levels = levels
        self.fusion_levels = fusion_levels
        self.specialized_levels = specialized_levels
        self.sub_levels = sub_levels
        self.filters = filters
        self.flow_filters = tuple(flow_filters)
        self.flow_convolutions = tuple(flow_convolutions)
        self.border = border
        # Bytes of memory per pixel of a frame on a CPU: 3,900 were measured with 64 filters.
        self.bytes_per_pixel = 200 + 58 * filters
        # With such sides, every level of the pyramid is exactly half as large as the one before.
        self.multiple = 2 ** (levels - 1) if border == "zeros" else 1

        policy = self.dtype_policy
        self.extractor = FeatureExtractor(filters, sub_levels, dtype=policy, name="features")
        sizes = list(zip(self.flow_filters, self.flow_convolutions, strict=True))
        specialized = [
            FlowPredictor(*size, dtype=policy, name=f"flow{level}")
            for level, size in enumerate(sizes[:-1])
        ]
        shared = FlowPredictor(*sizes[-1], dtype=policy, name="flow_shared")
        self.predictors = [*specialized, shared]
        self.fusion = Fusion(
            filters, fusion_levels, specialized_levels, dtype=policy, name="fusion"
        )

    @property
    def times(self) -> AnyTimes | tuple[float, ...]:
        """Returns the times that the network supports directly: any with `time_scaling`."""
        return "any" if self.time_scaling else self._learned_times

    @times.setter
    def times(self, times: AnyTimes | tuple[float, ...]) -> None:
        self._learned_times = times

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "levels": self.levels,
            "fusion_levels": self.fusion_levels,
            "specialized_levels": self.specialized_levels,
            "sub_levels": self.sub_levels,
            "filters": self.filters,
            "flow_filters": self.flow_filters,
            "flow_convolutions": self.flow_convolutions,
            "time_scaling": self.time_scaling,
            "border": self.border,
        }

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Computes images, features and flows of both frames at every fused level.

        Returns:
            `PYRAMIDS` by name; "flows01" lead from frame0 to frame1, "flows10" the other way.
        """
        pyramid = [ops.concatenate([frame0, frame1], axis=0)]
        for _ in range(self.levels - 1):
            pyramid.append(ops.average_pool(pyramid[-1], 2, 2))
        features = self.extractor(pyramid)
        prepared: dict[str, list[Tensor]] = {name: [] for name in PYRAMIDS}
        batches = zip(pyramid, features, self.flows(features), strict=True)
        for batch, _ in zip(batches, range(self.fusion_levels), strict=False):
            halves = [half for both in batch for half in _halves(both)]
            for name, half in zip(PYRAMIDS, halves, strict=True):
                prepared[name].append(half)
        return prepared

    def flows(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the flow of every level; the second half of the batch has the reverse direction.

        Args:
            features: Features of both frames at every level.
        """
        *specialized, shared = self.predictors
        flow, flows = None, []
        for level in reversed(range(self.levels)):
            predictor = specialized[level] if level < len(specialized) else shared
            feature = features[level]
            others = _halves(feature)[::-1]
            if flow is None:
                flow = predictor(feature, ops.concatenate(others, axis=0))
            else:
                flow = resize(2 * flow, images.size(feature))
                warped = map(backward_warp, others, _halves(flow))
                flow = flow + predictor(feature, ops.concatenate(list(warped), axis=0))
            flows.insert(0, flow)
        return flows

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Renders the frame at `time` and returns it with all intermediate results.

        Returns:
            "frame", not clipped; "flow0" and "flow1", from the new frame to both frames; "warped0"
            and "warped1", the frames warped along them; "flow_levels", both flows at every fused
            level, (B, h, w, 4).
        """
        if not self.time_scaling:
            check_middle(self.name, time)
        time = ops.reshape(ops.cast(time, "float32"), (-1, 1, 1, 1))
        pyramid = []
        for image0, image1, feature0, feature1, forward, backward in zip(
            *(prepared[name] for name in PYRAMIDS), strict=True
        ):
            flow0, flow1 = time * backward, (1 - time) * forward
            parts = ((image0, flow0), (feature0, flow0), (image1, flow1), (feature1, flow1))
            pyramid.append([*(backward_warp(*part) for part in parts), flow0, flow1])
        warped0, _, warped1, _, flow0, flow1 = pyramid[0]
        return {
            "frame": self.fusion(pyramid),
            "flow0": flow0,
            "flow1": flow1,
            "warped0": warped0,
            "warped1": warped1,
            "flow_levels": [join(level[-2:]) for level in pyramid],
        }

    def padding(self, height: Side, width: Side) -> images.Padding:
        """Returns the padding that centers the frames, as the authors do."""
        _, more_rows, _, more_columns = images.pad_end(height, width, self.multiple)
        top, left = more_rows // 2, more_columns // 2
        return top, more_rows - top, left, more_columns - left

    def pad(self, frames: Tensor) -> Tensor:
        """Pads frames with black; see `border`."""
        smallest = 2**self.levels
        for side in images.size(frames):
            if self.border == "none" and isinstance(side, int) and side < smallest:
                raise InputError(
                    f"{self.name} takes frames of at least {smallest} x {smallest} pixels as they "
                    f"are; choose border='zeros'. Received: a side of {side}"
                )
        return images.pad_zeros(frames, self.padding(*images.size(frames)))

    def measure_times(self) -> AnyTimes | tuple[float, ...]:
        """Returns `times`, which are known without measuring."""
        return self.times


@keras.saving.register_keras_serializable("tfvfi")
class FeatureExtractor(Block):
    """Extracts features of an image pyramid with one small encoder, applied from each level on.

    From level `depth` on, all levels have the same channels, with the same meaning.

    Args:
        filters: Channels of the encoder's first level.
        depth: Number of the encoder's levels.
    """

    def __init__(self, filters: int, depth: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.depth = filters, depth
        self.convolutions = [
            Conv2D(
                filters << number // 2,
                activation=ACTIVATION,
                dtype=self.dtype_policy,
                name=f"conv{number}",
            )
            for number in range(2 * depth)
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        return {**super().get_config(), "filters": self.filters, "depth": self.depth}

    def call(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Returns the features of every level."""
        levels: list[list[Tensor]] = [[] for _ in pyramid]
        # Later starts are coarser, and their features come first within every level.
        for start in range(len(pyramid)):
            maps = pyramid[start]
            for step in range(min(self.depth, len(pyramid) - start)):
                if step:
                    maps = ops.average_pool(maps, 2, 2)
                for convolution in self.convolutions[2 * step : 2 * step + 2]:
                    maps = convolution(maps)
                levels[start + step].insert(0, maps)
        return [join(level) for level in levels]


@keras.saving.register_keras_serializable("tfvfi")
class FlowPredictor(Block):
    """Estimates a correction of the flow between two frames from their features.

    Args:
        filters: Channels of the convolutions.
        convolutions: Number of 3 x 3 convolutions; two of 1 x 1 follow.
    """

    def __init__(self, filters: int, convolutions: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.count = filters, convolutions
        shapes = [(filters, 3)] * convolutions + [(filters // 2, 1), (2, 1)]
        self.convolutions = [
            Conv2D(
                channels,
                side,
                activation=None if number > convolutions else ACTIVATION,
                dtype=self.dtype_policy,
                name=f"conv{number}",
            )
            for number, (channels, side) in enumerate(shapes)
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        return {**super().get_config(), "filters": self.filters, "convolutions": self.count}

    def call(self, feature: Tensor, other: Tensor) -> Tensor:
        """Returns a correction of the flow from `feature` to `other`, in this level's pixels."""
        maps = join([feature, other])
        for convolution in self.convolutions:
            maps = convolution(maps)
        return ops.cast(maps, "float32")


@keras.saving.register_keras_serializable("tfvfi")
class Fusion(Block):
    """The decoder of a U-Net, which fuses the warped maps of all levels.

    Args:
        filters: Channels of the finest level; they double with every level.
        levels: Number of levels.
        specialized_levels: The level from which channels no longer double.
    """

    def __init__(self, filters: int, levels: int, specialized_levels: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.levels, self.specialized_levels = filters, levels, specialized_levels
        self.steps = []
        for level in range(levels - 1):
            channels = filters << min(level, specialized_levels)
            self.steps.append(
                [
                    Conv2D(channels, 2, dtype=self.dtype_policy, name=f"level{level}_double"),
                    *(
                        Conv2D(
                            channels,
                            activation=ACTIVATION,
                            dtype=self.dtype_policy,
                            name=f"level{level}_conv{number}",
                        )
                        for number in range(2)
                    ),
                ]
            )
        self.output_layer = Conv2D(3, 1, dtype=self.dtype_policy, name="output")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "levels": self.levels,
            "specialized_levels": self.specialized_levels,
        }

    def call(self, pyramid: Sequence[Sequence[Tensor]]) -> Tensor:
        """Returns the frame, from the warped maps of every level."""
        # Concatenated only once, with the maps from below, because these maps are the largest.
        maps = join(pyramid[-1], self.compute_dtype)
        for level, steps in reversed(list(enumerate(self.steps))):
            double, *convolutions = steps
            maps = double(_nearest(maps, images.size(pyramid[level][0])))
            maps = join([*pyramid[level], maps], self.compute_dtype)
            for convolution in convolutions:
                maps = convolution(maps)
        return ops.cast(self.output_layer(maps), "float32")


def _halves(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Splits a batch into its first and second half."""
    first, second = ops.split(batch, 2, axis=0)
    return first, second


def _nearest(maps: Tensor, size: tuple[Side, Side]) -> Tensor:
    """Resizes maps by nearest-neighbor sampling at pixel centers."""
    for axis, after in enumerate(size, start=1):
        before = ops.shape(maps)[axis]
        centers = ops.cast(ops.arange(after, dtype="int32"), "float32") + 0.5
        ratio = ops.cast(before, "float32") / ops.cast(after, "float32")
        nearest = ops.cast(ops.floor(centers * ratio), "int32")
        maps = ops.take(maps, ops.minimum(nearest, before - 1), axis=axis)
    return maps
