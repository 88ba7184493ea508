"""LPIPS, a perceptual distance learned from human judgements, with weights supplied by the user.

It is version 0.1 of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric" (CVPR 2018). The features of a classification network are scaled to length 1 at every pixel;
their squared differences are weighted by channel, averaged over pixels and summed over layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.errors import InputError

# Frames in -1 .. 1 are reduced by the shift and divided by the scale.
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
TINY = 1e-10
KINDS = ("weight", "bias")


@dataclass(frozen=True)
class Backbone:
    """A torchvision network whose features are compared.

    Attributes:
        blocks: The published indices of the convolutions in each block. The features are the
            outputs of the blocks.
        pooled: The blocks that are preceded by max pooling with stride 2.
        window: Side of the pooling window.
    """

    blocks: tuple[tuple[int, ...], ...]
    pooled: tuple[int, ...]
    window: int


# The networks by the side of their first kernel.
BACKBONES: Mapping[int, Backbone] = {
    11: Backbone(((0,), (3,), (6,), (8,), (10,)), (1, 2), 3),  # AlexNet
    3: Backbone(
        ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)), (1, 2, 3, 4), 2
    ),  # VGG-16
}
# Padding and stride of a convolution by the side of its kernel.
BORDER, STRIDE = {11: 2, 5: 2, 3: 1}, {11: 4, 5: 1, 3: 1}


class Lpips:
    """Computes the perceptual distance between two frames.

    Args:
        backbone: torchvision's weights of AlexNet (alexnet-owt-7be5be79.pth) or VGG-16
            (vgg16-397923af.pth), in any format that `tfvfi.checkpoints` reads.
        linear: The channel weights for that network, which are alex.pth or vgg.pth of LPIPS 0.1.

    Raises:
        InputError: A file is missing or does not hold these weights.
    """

    def __init__(self, backbone: str | Path, linear: str | Path):
        tensors, weights = _read(backbone), _read(linear)
        first = tensors.get("features.0.weight")
        if first is None or first.shape[-1] not in BACKBONES:
            raise InputError(f"{backbone} holds neither AlexNet nor VGG-16 of torchvision")
        self.backbone = BACKBONES[first.shape[-1]]
        self._convolutions = {
            number: [_named(tensors, f"features.{number}.{key}", backbone) for key in KINDS]
            for block in self.backbone.blocks
            for number in block
        }
        self._linear = [
            _named(weights, f"lin{level}.model.1.weight", linear).reshape(-1)
            for level in range(len(self.backbone.blocks))
        ]
        for block, line in zip(self.backbone.blocks, self._linear, strict=True):
            channels = len(self._convolutions[block[-1]][1])
            if len(line) != channels:
                raise InputError(
                    f"{linear} belongs to another network than {backbone}: "
                    f"{len(line)} weights for {channels} channels"
                )

    def __call__(self, a: np.ndarray, b: np.ndarray) -> float:
        """Returns the distance of frames, H x W x 3, both uint8, uint16, or float in [0, 1]."""
        features = [self.features(frame) for frame in (a, b)]
        distance = 0.0
        for first, second, line in zip(*features, self._linear, strict=True):
            squares = np.square(_unit_length(first) - _unit_length(second))
            distance += float(np.mean(squares @ line.astype("float64")))
        return distance

    def features(self, frame: np.ndarray) -> list[np.ndarray]:
        """Returns the features of a frame at the end of every block."""
        from keras import ops

        from tfvfi.images import to_unit

        maps: Any = (2 * to_unit(frame)[None] - 1 - np.float32(SHIFT)) / np.float32(SCALE)
        found = []
        for level, block in enumerate(self.backbone.blocks):
            if level in self.backbone.pooled:
                maps = ops.max_pool(maps, self.backbone.window, 2)
            for number in block:
                kernel, bias = self._convolutions[number]
                side = kernel.shape[-1]
                beside = (BORDER[side], BORDER[side])
                maps = ops.pad(maps, ((0, 0), beside, beside, (0, 0)))
                maps = ops.conv(maps, kernel.transpose(2, 3, 1, 0), STRIDE[side], "valid")
                maps = ops.relu(maps + bias)
            found.append(ops.convert_to_numpy(maps)[0])
        return found


def _unit_length(features: np.ndarray) -> np.ndarray:
    features = features.astype("float64")
    return features / (np.sqrt(np.sum(np.square(features), axis=-1, keepdims=True)) + TINY)


def _read(path: str | Path) -> Mapping[str, np.ndarray]:
    from tfvfi.checkpoints import read

    if not Path(path).is_file():
        raise InputError(f"there is no file {path}, which LPIPS was to read")
    return read(path).tensors


def _named(tensors: Mapping[str, np.ndarray], name: str, source: str | Path) -> np.ndarray:
    if name not in tensors:
        raise InputError(f"{source} is not what LPIPS needs: it holds no {name}")
    return tensors[name].astype("float32")
