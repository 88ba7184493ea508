"""The block that estimates motion in RIFE, in the three forms of its versions.

A block reads everything known at one resolution, downsamples it by four, applies eight convolutions
and upsamples the result. The forms differ in what surrounds the eight convolutions:

- "pairs" (version 3): a residual connection around every two; two heads, for flow and mask,
  upsample by four.
- "chain" (version 4.0): one residual connection around all eight; one head upsamples by two.
- "scaled" (since 4.6): every convolution is scaled per channel and added to its input; one head
  upsamples by four, the second factor of two by pixel shuffle.
"""

from typing import Any

import keras
from keras import activations, layers, ops

from tfvfi.layers import (
    SLOPES,
    Block,
    Conv2D,
    ConvPReLU,
    Double,
    DoublePReLU,
)
from tfvfi.ops.channels import join
from tfvfi.ops.convolution import fused_convolution
from tfvfi.ops.tensor import Tensor

FORMS = ("pairs", "chain", "scaled")
CONVOLUTIONS = 8
# Channels of both flows and the mask, which come first in a block's output.
FLOWS, MOTION = 4, 5


@keras.saving.register_keras_serializable("tfvfi")
class MotionBlock(Block):
    """Estimates both flows, the mask and, in some versions, a feature for the next block.

    Args:
        width: Channels of the eight convolutions.
        form: One of `FORMS`; see above.
        features: Channels of the feature, which follow flow and mask in the output.
    """

    def __init__(self, width: int, form: str = "scaled", features: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.form, self.features = width, form, features
        policy = self.dtype_policy
        self.shrinks = [
            activated(form, filters, strides=2, dtype=policy, name=f"shrink{number}")
            for number, filters in enumerate((width // 2, width))
        ]
        conv = ScaledResidual if form == "scaled" else ConvPReLU
        self.convs = [
            conv(width, dtype=policy, name=f"conv{number}") for number in range(CONVOLUTIONS)
        ]
        if form == "pairs":
            self.heads = [
                Head(width // 2, filters, dtype=policy, name=name)
                for name, filters in (("flow", FLOWS), ("mask", 1))
            ]
        elif form == "chain":
            self.heads = [Double(MOTION, dtype=policy, name="head")]
        else:
            # Published heads without features have a sixth channel, which is never read.
            self.channels = MOTION + (features or 1)
            self.heads = [Double(4 * self.channels, dtype=policy, name="head")]

    def call(self, known: Tensor) -> Tensor:
        """Returns flows, mask and feature, at the size of `known`, or half of it for "chain"."""
        for shrink in self.shrinks:
            known = shrink(known)
        grouped = {"pairs": 2, "chain": CONVOLUTIONS, "scaled": 1}[self.form]
        for first in range(0, CONVOLUTIONS, grouped):
            refined = known
            for conv in self.convs[first : first + grouped]:
                refined = conv(refined)
            known = refined if self.form == "scaled" else refined + known
        enlarged = [head(known) for head in self.heads]
        if self.form == "scaled":
            return pixel_shuffle(enlarged[0])
        return join(enlarged) if len(enlarged) > 1 else enlarged[0]

    @property
    def enlargement(self) -> int:
        """Returns the ratio between the size of the input and that of the output."""
        return 2 if self.form == "chain" else 1


@keras.saving.register_keras_serializable("tfvfi")
class Scale(layers.Layer):
    """Multiplies every channel by a learned factor, which is initially 1."""

    def build(self, input_shape: tuple) -> None:
        """Creates the factors."""
        self.beta = self.add_weight(shape=input_shape[-1:], initializer="ones", name="beta")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        return super().get_config()

    def call(self, values: Tensor) -> Tensor:
        """Returns the scaled values."""
        return values * self.beta


@keras.saving.register_keras_serializable("tfvfi")
class ScaledResidual(Conv2D):
    """A convolution that is scaled per channel and added to its input, followed by LeakyReLU.

    Args:
        filters: Channels of both input and output.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.scale = Scale(dtype=self.dtype_policy, name="scale")

    def build(self, input_shape: tuple) -> None:
        """Creates the kernel, the bias and the factors."""
        super().build(input_shape)
        self.scale.build(input_shape)

    def call(self, image: Tensor) -> Tensor:
        """Returns the refined image."""
        if self.fusible(image):
            beta = self.scale.beta
            slope = ops.full((self.filters,), SLOPES[activations.leaky_relu], dtype="float32")
            return fused_convolution(image, self.kernel * beta, self.bias * beta, slope, image)
        return activations.leaky_relu(self.scale(self.convolve(image)) + image)


@keras.saving.register_keras_serializable("tfvfi")
class Head(Block):
    """Upsamples features by four.

    Args:
        width: Intermediate channels.
        filters: Output channels.
    """

    def __init__(self, width: int, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.filters = width, filters
        self.double0 = DoublePReLU(width, dtype=self.dtype_policy, name="double0")
        self.double1 = Double(filters, dtype=self.dtype_policy, name="double1")

    def call(self, feature: Tensor) -> Tensor:
        """Returns the feature at four times its size."""
        return self.double1(self.double0(feature))


@keras.saving.register_keras_serializable("tfvfi")
class Encoder(Block):
    """Extracts features of a frame at its full size, as versions since 4.7 use beside the colors.

    Args:
        width: Intermediate channels, at half the size.
        filters: Output channels.
    """

    def __init__(self, width: int, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.filters = width, filters
        self.convs = [
            activated("scaled", width, strides=strides, dtype=self.dtype_policy, name=f"conv{at}")
            for at, strides in enumerate((2, 1, 1))
        ]
        # An attribute called "double" would collide with a method of PyTorch's modules.
        self.enlarge = Double(filters, dtype=self.dtype_policy, name="double")

    def call(self, frame: Tensor) -> Tensor:
        """Returns the features of a frame."""
        for conv in self.convs:
            frame = conv(frame)
        return self.enlarge(frame)


def activated(form: str, filters: int, **kwargs: Any) -> Conv2D:
    """Creates a convolution with a form's activation: LeakyReLU in "scaled", otherwise PReLU."""
    if form == "scaled":
        return Conv2D(filters, activation=activations.leaky_relu, **kwargs)
    return ConvPReLU(filters, **kwargs)


def pixel_shuffle(maps: Tensor) -> Tensor:
    """Doubles the size of maps: channels 4 c to 4 c + 3 become the four pixels of channel c."""
    batch, height, width, channels = ops.shape(maps)
    maps = ops.reshape(maps, (batch, height, width, channels // 4, 2, 2))
    maps = ops.transpose(maps, (0, 1, 4, 2, 5, 3))
    return ops.reshape(maps, (batch, 2 * height, 2 * width, channels // 4))
