"""The U-Net that both forms of Super SloMo use twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from tfvfi.layers import Block, Conv2D, leaky_relu
from tfvfi.ops import resize
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# Kernel size on each level of the encoder; every level has half the size of the one before.
KERNELS = (7, 5, 3, 3, 3, 3)


@keras.saving.register_keras_serializable("tfvfi.superslomo")
class UNet(Block):
    """A U-Net of six levels, down to 1/32 of the size.

    Args:
        form: "nvidia" concatenates skip connections after both convolutions of a level and ends in
            linear heads; "paliwal" concatenates them between the two and ends in one convolution
            with a slope of 0.1 for negative values.
        widths: Channels of the encoder's levels.
        outputs: Names and channels of the outputs; the names matter to "nvidia" only.
    """

    def __init__(self, form: str, widths: Sequence[int], outputs: Mapping[str, int], **kwargs: Any):
        super().__init__(**kwargs)
        self.form, self.widths, self.outputs = form, tuple(widths), dict(outputs)
        policy = self.dtype_policy
        self.encoder = [
            EncoderLevel(width, kernel, dtype=policy, name=f"encoder{level}")
            for level, (width, kernel) in enumerate(zip(widths, KERNELS, strict=True), start=1)
        ]
        decoder_level = {"nvidia": JoinAfter, "paliwal": JoinBetween}[form]
        self.decoder = [
            decoder_level(width, dtype=policy, name=f"decoder{level}")
            for level, width in reversed(list(enumerate(widths[:-1], start=1)))
        ]
        # The outputs, above all flow, stay float32 and are not rounded.
        if form == "nvidia":
            self.last = [leaky_conv(widths[0], dtype=policy, name="refine")]
            self.heads = [
                Conv2D(channels, 1, dtype="float32", name=name)
                for name, channels in outputs.items()
            ]
        else:
            self.last = []
            self.heads = [leaky_conv(sum(outputs.values()), dtype="float32", name="last")]

    def call(self, inputs: Tensor, beside: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns all outputs concatenated, float32, and the coarsest features of the encoder.

        Args:
            inputs: (B, H, W, C).
            beside: Coarsest features of another network, which the decoder also reads.
        """
        features = []
        feature = inputs
        for level in self.encoder:
            feature = level(ops.average_pool(feature, 2, 2) if features else feature)
            features.append(feature)
        *finer, coarsest = features
        feature = coarsest if beside is None else join([beside, coarsest])
        for level, skipped in zip(self.decoder, reversed(finer), strict=True):
            feature = level(resize(feature, 2), skipped)
        for conv in self.last:
            feature = conv(feature)
        return join([head(feature) for head in self.heads]), coarsest


@keras.saving.register_keras_serializable("tfvfi.superslomo")
class EncoderLevel(Block):
    """Two convolutions."""

    def __init__(self, width: int, kernel: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.kernel = width, kernel
        self.conv1 = leaky_conv(width, kernel, dtype=self.dtype_policy, name="conv1")
        self.conv2 = leaky_conv(width, kernel, dtype=self.dtype_policy, name="conv2")

    def call(self, feature: Tensor) -> Tensor:
        """Returns the feature at the same size."""
        return self.conv2(self.conv1(feature))


@keras.saving.register_keras_serializable("tfvfi.superslomo")
class JoinAfter(EncoderLevel):
    """Two convolutions, after which the encoder's feature is concatenated."""

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(width, 3, **kwargs)

    def call(self, feature: Tensor, skipped: Tensor) -> Tensor:
        """Returns the feature, twice as wide as a convolution."""
        return join([skipped, super().call(feature)])


@keras.saving.register_keras_serializable("tfvfi.superslomo")
class JoinBetween(JoinAfter):
    """Two convolutions, between which the encoder's feature is concatenated."""

    def call(self, feature: Tensor, skipped: Tensor) -> Tensor:
        """Returns the feature, as wide as a convolution."""
        return self.conv2(join([self.conv1(feature), skipped]))


def leaky_conv(filters: int, kernel_size: int = 3, **kwargs: Any) -> Conv2D:
    """Creates a convolution whose negative outputs are multiplied by 0.1."""
    return Conv2D(filters, kernel_size, activation=leaky_relu, **kwargs)
