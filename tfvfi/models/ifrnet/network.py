"""IFRNet: intermediate flow and an intermediate feature, refined jointly from coarse to fine.

An encoder extracts features of both frames at 1/2, 1/4, 1/8 and 1/16 of their size. From the
coarsest features and the time, the first decoder estimates the flows from the intermediate frame to
both frames, and a feature of the intermediate frame. Each finer decoder warps the frames' features
by the current flows and corrects both flows and feature. The last decoder predicts a mask that
blends the two warped frames, and a residual that is added to the blend.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import ArgumentError
from tfvfi.layers import Block, Conv2D, ConvPReLU, Double, PReLU
from tfvfi.models.base import Interpolator
from tfvfi.ops import backward_warp, resize
from tfvfi.ops.channels import join, split
from tfvfi.ops.convolution import fused_convolution
from tfvfi.ops.tensor import Tensor

# The ratio between the size of the frames and that of the coarsest features.
COARSEST = 16
# Channels of both flows, which come first in the output of a decoder.
FLOWS = 4
BORDERS = ("replicate", "zeros")


@keras.saving.register_keras_serializable("tfvfi")
class IFRNet(Interpolator):
    """IFRNet of any size.

    Args:
        widths: Channels of the encoder at 1/2, 1/4, 1/8 and 1/16 of the frames' size.
        side: Channels that pass through extra convolutions in every residual block.
        first_kernel: Kernel size of the first convolution.
        scale: Size, relative to the frames, at which motion is estimated: below 1 for large
            motion. Warping and blending stay at full size.
        border: How `interpolate` pads frames: "replicate" repeats the border on all sides, as the
            authors do for SNU-FILM; "zeros" adds black on the right and at the bottom, as they do
            for Middlebury.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("ifrnet_s", weights=None)
        >>> frames = np.zeros((2, 1, 64, 96, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.5])})
        >>> sorted(out)[2:], tuple(out["frame"].shape)
        (['flow1', 'flow_levels', 'frame', 'mask', 'mean', 'residual'], (1, 64, 96, 3))
    """

    learns_time = True

    def __init__(
        self,
        widths: Sequence[int] = (32, 48, 72, 96),
        side: int = 32,
        first_kernel: int = 3,
        scale: float = 1.0,
        border: str = "replicate",
        **kwargs: Any,
    ):
        if not 0 < scale <= 8:
            raise ArgumentError(f"scale lies above 0 and not above 8. Received: {scale!r}")
        if border not in BORDERS:
            raise ArgumentError(f"border is one of {', '.join(BORDERS)}. Received: {border!r}")
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.side = side
        # Bytes of memory per pixel of a frame on a CPU: 510, 780 and 1350 were measured.
        self.bytes_per_pixel = 200 + 18 * self.widths[0]
        self.first_kernel = first_kernel
        self.scale = scale
        self.border = border
        # Sides times the scale must be divisible by 16.
        self.multiple = (Fraction(scale).limit_denominator(100) / COARSEST).denominator

        policy = self.dtype_policy
        self.encoder = Encoder(self.widths, first_kernel, dtype=policy, name="encoder")
        half, quarter, eighth, sixteenth = self.widths
        # Per decoder: the channels inside it, and the channels it refines in addition to the flows.
        sizes = {
            4: (2 * sixteenth, eighth),
            3: (3 * eighth, quarter),
            2: (3 * quarter, half),
            1: (3 * half, 1 + 3),
        }
        self.decoders = [
            Decoder(inside, FLOWS + more, side, dtype=policy, name=f"decoder{level}")
            for level, (inside, more) in sizes.items()
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "widths": self.widths,
            "side": self.side,
            "first_kernel": self.first_kernel,
            "scale": self.scale,
            "border": self.border,
        }

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Subtracts the common mean from both frames and extracts their features."""
        means = [ops.mean(frame, axis=(1, 2, 3), keepdims=True) for frame in (frame0, frame1)]
        mean = (means[0] + means[1]) / 2
        frame0, frame1 = frame0 - mean, frame1 - mean
        return {
            "mean": mean,
            "frame0": frame0,
            "frame1": frame1,
            "features0": self.features(frame0),
            "features1": self.features(frame1),
        }

    def features(self, frame: Tensor) -> list[Tensor]:
        """Returns the features of a frame without its mean, from fine to coarse."""
        return self.encoder(frame if self.scale == 1 else resize(frame, self.scale))

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Renders the frame at `time` and returns it with all intermediate results.

        Returns:
            "frame"; "flow0" and "flow1", from the new frame to both frames; "mask", the weight of
            frame0; "residual"; and for the objective "mean", "flow_levels" (both flows at 1/2, 1/4
            and 1/8 of the size, (B, h, w, 4)) and "feature_levels" (of the new frame, likewise).
        """
        *finer, (coarse0, coarse1) = zip(prepared["features0"], prepared["features1"], strict=True)
        first, *others = self.decoders

        plane = ops.ones_like(coarse0[..., :1]) * ops.reshape(
            ops.cast(time, coarse0.dtype), (-1, 1, 1, 1)
        )
        flows, feature = first(join([coarse0, coarse1, plane]))
        flows = ops.cast(flows, "float32")
        flow_levels, feature_levels = [], []
        for decoder, (feature0, feature1) in zip(others, reversed(finer), strict=True):
            flow_levels.insert(0, flows)
            feature_levels.insert(0, feature)
            flow0, flow1 = split(flows, (2, 2))
            warped0 = backward_warp(feature0, flow0)
            warped1 = backward_warp(feature1, flow1)
            more, feature = decoder(join([feature, warped0, warped1, flows]))
            flows = 2 * resize(flows, 2) + ops.cast(more, "float32")

        mask, residual = (ops.cast(part, "float32") for part in split(feature, (1, 3)))
        mask = ops.sigmoid(mask)
        frame0, frame1 = prepared["frame0"], prepared["frame1"]
        if self.scale != 1:
            size = images.size(frame0)
            flows = resize(flows, size) / self.scale
            mask, residual = resize(mask, size), resize(residual, size)
        flow0, flow1 = split(flows, (2, 2))
        blend = mask * backward_warp(frame0, flow0) + (1 - mask) * backward_warp(frame1, flow1)
        return {
            "frame": ops.clip(blend + prepared["mean"] + residual, 0, 1),
            "flow0": flow0,
            "flow1": flow1,
            "mask": mask,
            "residual": residual,
            "mean": prepared["mean"],
            "flow_levels": flow_levels,
            "feature_levels": feature_levels,
        }

    def padding(self, height: Tensor, width: Tensor) -> images.Padding:
        """Returns the padding that the authors use: see `border`."""
        top, bottom, left, right = images.pad_end(height, width, self.multiple)
        if self.border == "zeros":
            return top, bottom, left, right
        return bottom // 2, bottom - bottom // 2, right // 2, right - right // 2

    def pad(self, frames: Tensor) -> Tensor:
        """Pads frames as the authors do: see `border`."""
        pad = images.pad_zeros if self.border == "zeros" else images.pad_edge
        return pad(frames, self.padding(*images.size(frames)))


@keras.saving.register_keras_serializable("tfvfi.ifrnet")
class Encoder(Block):
    """Extracts features of a frame at 1/2, 1/4, 1/8 and 1/16 of its size."""

    def __init__(self, widths: Sequence[int], first_kernel: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.widths, self.first_kernel = tuple(widths), first_kernel
        kernels = (first_kernel, *(3 for _ in widths[1:]))
        self.levels = [
            EncoderLevel(width, kernel, dtype=self.dtype_policy, name=f"level{number}")
            for number, (width, kernel) in enumerate(zip(widths, kernels, strict=True), start=1)
        ]

    def call(self, frame: Tensor) -> list[Tensor]:
        """Returns the features, from fine to coarse."""
        features = [frame]
        for level in self.levels:
            features.append(level(features[-1]))
        return features[1:]


@keras.saving.register_keras_serializable("tfvfi.ifrnet")
class EncoderLevel(Block):
    """Two convolutions, the first of which halves the size."""

    def __init__(self, width: int, kernel: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.kernel = width, kernel
        self.conv0 = ConvPReLU(width, kernel, strides=2, dtype=self.dtype_policy, name="conv0")
        self.conv1 = ConvPReLU(width, dtype=self.dtype_policy, name="conv1")

    def call(self, feature: Tensor) -> Tensor:
        """Returns the feature at half the size."""
        return self.conv1(self.conv0(feature))


@keras.saving.register_keras_serializable("tfvfi.ifrnet")
class Decoder(Block):
    """Refines the flows and the feature of the intermediate frame, and doubles their size."""

    def __init__(self, inside: int, outside: int, side: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.inside, self.outside, self.side = inside, outside, side
        self.conv = ConvPReLU(inside, dtype=self.dtype_policy, name="conv")
        self.residual = ResidualBlock(inside, side, dtype=self.dtype_policy, name="residual")
        self.up = Double(outside, dtype=self.dtype_policy, name="double")

    def call(self, known: Tensor) -> list[Tensor]:
        """Returns corrections of both flows, and the feature, at twice the size."""
        refined = self.up(self.residual(self.conv(known)))
        return split(refined, (FLOWS, self.outside - FLOWS))


@keras.saving.register_keras_serializable("tfvfi.ifrnet")
class ResidualBlock(Block):
    """Three convolutions; after each of the first two, some channels pass through another."""

    def __init__(self, width: int, side: int, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.width, self.side = width, side
        self.conv1 = ConvPReLU(width, dtype=policy, name="conv1")
        self.conv2 = ConvPReLU(side, dtype=policy, name="conv2")
        self.conv3 = ConvPReLU(width, dtype=policy, name="conv3")
        self.conv4 = ConvPReLU(side, dtype=policy, name="conv4")
        self.conv5 = Conv2D(width, dtype=policy, name="conv5")
        self.prelu = PReLU(dtype=policy, name="prelu")

    def call(self, feature: Tensor) -> Tensor:
        """Returns the refined feature, of the same size and width."""
        refined = self._refine_side(self.conv1(feature), self.conv2)
        refined = self._refine_side(self.conv3(refined), self.conv4)
        if self.prelu.built and self.conv5.fusible(refined):
            conv = self.conv5
            return fused_convolution(refined, conv.kernel, conv.bias, self.prelu.alpha, feature)
        return self.prelu(feature + self.conv5(refined))

    def _refine_side(self, feature: Tensor, conv: ConvPReLU) -> Tensor:
        if conv.fusible(feature):
            return fused_convolution(feature, conv.kernel, conv.bias, conv.prelu.alpha)
        main, side = split(feature, (self.width - self.side, self.side))
        return join([main, conv(side)])
