"""The four encoder-decoders of FlowNet 2.0, described by tables: C, S, SD and fusion.

All share one architecture: an encoder of strided convolutions, and a decoder that predicts flow at
the coarsest level, upsamples it, and predicts it again at each finer level from the encoder's
features there. They differ in the tables below, and FlowNetC also in how it compares the two
frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfvfi.layers import Block, Conv2D, Double, leaky_relu
from tfvfi.ops import correlation
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# Name of a convolution -> channels, kernel size, stride.
Convolutions = Mapping[str, tuple[int, int, int]]

DEEP = {
    "conv4": (512, 3, 2),
    "conv4_1": (512, 3, 1),
    "conv5": (512, 3, 2),
    "conv5_1": (512, 3, 1),
    "conv6": (1024, 3, 2),
    "conv6_1": (1024, 3, 1),
}
LARGE_KERNELS = {"conv1": (64, 7, 2), "conv2": (128, 5, 2), "conv3": (256, 5, 2)}
SMALL_KERNELS = {
    "conv0": (64, 3, 1),
    "conv1": (64, 3, 2),
    "conv1_1": (128, 3, 1),
    "conv2": (128, 3, 2),
    "conv2_1": (128, 3, 1),
}


@dataclass(frozen=True)
class Plan:
    """The structure of one encoder-decoder.

    Attributes:
        encoder: Its convolutions, in order.
        skips: Level -> convolution whose output the decoder reads there. Level n has 1 / 2^n of
            the size; the coarsest level is one more than the largest key.
        deconvolutions: Level -> channels that are upsampled from the coarser level.
        smoothing: Level -> channels of a linear convolution before the prediction.
        enlarging_bias: Whether the convolution that upsamples a flow has a bias.
        correlated: Whether the two frames are compared in a cost volume, as in FlowNetC.
    """

    encoder: Convolutions
    skips: Mapping[int, str]
    deconvolutions: Mapping[int, int]
    smoothing: Mapping[int, int]
    enlarging_bias: bool = True
    correlated: bool = False

    @property
    def levels(self) -> list[int]:
        """Returns the levels at which the flow is upsampled and refined, coarse to fine."""
        return sorted(self.skips, reverse=True)

    @property
    def coarsest(self) -> int:
        """Returns the level of the first prediction."""
        return self.levels[0] + 1


_DECONVOLUTIONS = {5: 512, 4: 256, 3: 128, 2: 64}

PLANS = {
    "c": Plan(
        encoder=LARGE_KERNELS | {"conv_redir": (32, 1, 1), "conv3_1": (256, 3, 1)} | DEEP,
        skips={5: "conv5_1", 4: "conv4_1", 3: "conv3_1", 2: "conv2"},
        deconvolutions=_DECONVOLUTIONS,
        smoothing={},
        correlated=True,
    ),
    "s": Plan(
        encoder=LARGE_KERNELS | {"conv3_1": (256, 3, 1)} | DEEP,
        skips={5: "conv5_1", 4: "conv4_1", 3: "conv3_1", 2: "conv2"},
        deconvolutions=_DECONVOLUTIONS,
        smoothing={},
        enlarging_bias=False,
    ),
    "sd": Plan(
        encoder=SMALL_KERNELS | {"conv3": (256, 3, 2), "conv3_1": (256, 3, 1)} | DEEP,
        skips={5: "conv5_1", 4: "conv4_1", 3: "conv3_1", 2: "conv2_1"},
        deconvolutions=_DECONVOLUTIONS,
        smoothing={5: 512, 4: 256, 3: 128, 2: 64},
    ),
    "fusion": Plan(
        encoder=SMALL_KERNELS,
        skips={1: "conv1_1", 0: "conv0"},
        deconvolutions={1: 32, 0: 16},
        smoothing={1: 32, 0: 16},
    ),
}


@keras.saving.register_keras_serializable("tfvfi.flownet2")
class FlowNet(Block):
    """An encoder-decoder that returns flows at all of its levels.

    Args:
        kind: "c", "s", "sd" or "fusion".
    """

    def __init__(self, kind: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.kind = kind
        self.plan = PLANS[kind]
        rounded = {"dtype": self.dtype_policy}
        # Flow stays float32 under every policy: bfloat16 would round it to tenths of a pixel.
        exact = {"dtype": "float32"}
        self.encoder = {
            name: Conv2D(*settings, activation=leaky_relu, name=name, **rounded)
            for name, settings in self.plan.encoder.items()
        }
        # The levels of the decoder, from coarse to fine.
        levels = self.plan.levels
        self.deconvolutions = [
            Double(
                self.plan.deconvolutions[level],
                activation=leaky_relu,
                name=f"deconv{level}",
                **rounded,
            )
            for level in levels
        ]
        self.smoothing = [
            Conv2D(self.plan.smoothing[level], name=f"inter_conv{level}", **rounded)
            for level in levels
            if level in self.plan.smoothing
        ]
        self.enlarging = [
            Double(
                2,
                use_bias=self.plan.enlarging_bias,
                name=f"upsampled_flow{level + 1}_to_{level}",
                **exact,
            )
            for level in levels
        ]
        self.predictions = [
            Conv2D(2, name=f"predict_flow{level}", **exact)
            for level in (self.plan.coarsest, *levels)
        ]

    def call(self, inputs: Tensor) -> list[Tensor]:
        """Returns flows from the finest level to the coarsest.

        Args:
            inputs: Two frames, concatenated; for the later networks of a chain, followed by what is
                known of their flow.
        """
        encode = self._encode_apart if self.plan.correlated else self._encode_together
        return self._decode(encode(inputs))

    def _encode_together(self, inputs: Tensor) -> dict[str, Tensor]:
        return self._run(self.encoder, inputs)

    def _encode_apart(self, inputs: Tensor) -> dict[str, Tensor]:
        """Encodes both frames with shared weights and computes their cost volume (FlowNetC)."""
        both = ops.concatenate(ops.split(inputs, 2, axis=-1), axis=0)
        before = self._run({name: self.encoder[name] for name in LARGE_KERNELS}, both)
        first, second = ops.split(before["conv3"], 2, axis=0)
        costs = leaky_relu(correlation(first, second, max_displacement=20, stride=2))
        matched = join([self.encoder["conv_redir"](first), costs])
        after = {name: self.encoder[name] for name in ("conv3_1", *DEEP)}
        return {
            "conv2": ops.split(before["conv2"], 2, axis=0)[0],
            **self._run(after, matched),
        }

    def _run(self, convolutions: Mapping[str, keras.Layer], maps: Tensor) -> dict[str, Tensor]:
        """Runs convolutions in sequence and returns the output of each."""
        found = {}
        for name, convolution in convolutions.items():
            found[name] = maps = convolution(maps)
        return found

    def _decode(self, found: dict[str, Tensor]) -> list[Tensor]:
        maps = list(found.values())[-1]
        flows = [self.predictions[0](maps)]
        for step, level in enumerate(self.plan.levels):
            skip = found[self.plan.skips[level]]
            flow = self.enlarging[step](flows[0])
            maps = join([skip, self.deconvolutions[step](maps), flow])
            seen = self.smoothing[step](maps) if self.smoothing else maps
            flows.insert(0, self.predictions[step + 1](seen))
        return flows
