"""SepConv: a separable kernel of 51 + 51 taps per pixel and frame, estimated in one pass.

A U-Net reads both frames and extracts features at half their size. Four heads turn them into taps:
a column and a row for each frame, whose outer product is the 51 x 51 kernel of a pixel. The middle
frame is the sum of both frames, each convolved with its kernels. Taps are not normalized.
"""

from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import ArgumentError
from tfvfi.layers import Block, Conv2D
from tfvfi.models.middle import MiddleInterpolator
from tfvfi.models.strips import paint_in_strips, strip_rows
from tfvfi.ops import resize, separable_convolution
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

WIDTHS = (32, 64, 128, 256, 512)
TAPS = 51
# How far a kernel extends beyond its pixel.
REACH = TAPS // 2
PADDINGS = ("improved", "paper")
# Frames are padded to multiples of this before they are interpolated.
PADDED_TO = 128
# Full-size taps are four maps of 51 values per pixel; this many pixels are in memory at a time.
PIXELS_AT_ONCE = 2**17


@keras.saving.register_keras_serializable("tfvfi")
class SepConv(MiddleInterpolator):
    """SepConv, which renders the middle frame.

    Args:
        padding: How `interpolate` pads frames, as in the authors' script: "improved" repeats the
            border on the right and at the bottom up to multiples of 128; "paper" first repeats it
            by 25 pixels on all sides.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("sepconv", weights=None)
        >>> frames = np.zeros((2, 1, 32, 64, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.5])})
        >>> {name: tuple(value.shape) for name, value in out.items()}
        {'frame': (1, 32, 64, 3)}
    """

    # Bytes of memory per pixel of a frame on a CPU, as measured.
    bytes_per_pixel = 800

    multiple = 32
    build_side = 32

    def __init__(self, padding: str = "improved", **kwargs: Any):
        if padding not in PADDINGS:
            raise ArgumentError(f"padding is one of {', '.join(PADDINGS)}. Received: {padding!r}")
        super().__init__(**kwargs)
        self.padding_rule = padding
        policy = self.dtype_policy
        self.encoder = [
            Triple(width, dtype=policy, name=f"encoder{level}")
            for level, width in enumerate(WIDTHS, start=1)
        ]
        self.decoder = [
            Enlarge(width, dtype=policy, name=f"decoder{level}")
            for level, width in zip((5, 4, 3, 2), (512, 256, 128, 64), strict=True)
        ]
        self.heads = {
            name: Head(dtype=policy, name=name)
            for name in ("vertical0", "vertical1", "horizontal0", "horizontal1")
        }

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {**super().get_config(), "padding": self.padding_rule}

    def middle(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Renders the middle frame, as "frame"."""
        # The published network was trained on blue, green, red.
        pair = [ops.flip(frame, axis=-1) for frame in (frame0, frame1)]
        features = self.features(join(pair))
        maps = {name: head(features) for name, head in self.heads.items()}

        batch, height, width, _ = ops.shape(frame0)
        rows = strip_rows(height, batch * width, PIXELS_AT_ONCE)
        painted = images.next_multiple(height, rows)
        around = (REACH, REACH + painted - height, REACH, REACH)
        padded = [images.pad_edge(frame, around) for frame in (frame0, frame1)]

        def paint(first: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
            return self.strip(maps, padded, first, rows), ()

        frame = paint_in_strips(paint, (batch, painted, width), rows)
        return {"frame": frame[:, :height]}

    def features(self, pair: Tensor) -> Tensor:
        """Returns the U-Net's features of both frames (6 channels): 64 channels at half size."""
        skips, features = [], pair
        for level in self.encoder:
            skips.append(level(features))
            features = ops.average_pool(skips[-1], 2, 2)
        for level in self.decoder:
            features = level(features) + skips.pop()
        return features

    def strip(
        self, maps: dict[str, Tensor], padded: list[Tensor], first: Tensor, rows: Tensor
    ) -> Tensor:
        """Renders some rows of the frame.

        Args:
            maps: The outputs of the heads.
            padded: Both frames, padded by the extent of a kernel.
            first: The first row.
            rows: The number of rows.
        """
        taps = {name: head.taps(maps[name], first, rows) for name, head in self.heads.items()}
        total = 0.0
        for number, frame in enumerate(padded):
            batch, _, width, channels = ops.shape(frame)
            within = ops.slice(frame, (0, first, 0, 0), (batch, rows + 2 * REACH, width, channels))
            total = total + separable_convolution(
                within, taps[f"vertical{number}"], taps[f"horizontal{number}"]
            )
        return total

    def padding(self, height: Tensor, width: Tensor) -> images.Padding:
        """Returns the padding of the authors' script: see the argument `padding`."""
        border = REACH if self.padding_rule == "paper" else 0
        _, bottom, _, right = images.pad_end(height + 2 * border, width + 2 * border, PADDED_TO)
        return border, border + bottom, border, border + right


@keras.saving.register_keras_serializable("tfvfi.sepconv")
class Triple(Block):
    """Three convolutions, each followed by a ReLU."""

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        self.convs = [
            Conv2D(width, activation="relu", dtype=self.dtype_policy, name=f"conv{step}")
            for step in range(3)
        ]

    def call(self, features: Tensor) -> Tensor:
        """Returns the features after three convolutions."""
        for conv in self.convs:
            features = conv(features)
        return features


@keras.saving.register_keras_serializable("tfvfi.sepconv")
class Enlarge(Block):
    """Three convolutions, bilinear upsampling by two, and one more convolution."""

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        self.triple = Triple(width, dtype=self.dtype_policy, name="triple")
        self.last = Conv2D(width, activation="relu", dtype=self.dtype_policy, name="last")

    def call(self, features: Tensor) -> Tensor:
        """Returns features of twice the size."""
        return self.last(resize(self.triple(features), 2, align_corners=True))


@keras.saving.register_keras_serializable("tfvfi.sepconv")
class Head(Block):
    """Estimates every pixel's taps in two steps: maps at half the size, then taps per strip."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        widths = (WIDTHS[1], WIDTHS[1], TAPS)
        self.convs = [
            Conv2D(width, activation="relu", dtype=policy, name=f"conv{step}")
            for step, width in enumerate(widths)
        ]
        self.last = Conv2D(TAPS, dtype=policy, name="last")

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers, including the one that `call` does not use."""
        self.last.build((None, None, None, TAPS))
        super().build(input_shape)

    def call(self, features: Tensor) -> Tensor:
        """Returns maps at half the size of the frames."""
        for conv in self.convs:
            features = conv(features)
        return features

    def taps(self, maps: Tensor, first: Tensor, rows: Tensor) -> Tensor:
        """Returns the taps of `rows` rows from `first` on, as if computed for all rows."""
        batch, _, width, _ = ops.shape(maps)
        wide = 2 * width
        # One extra row above and below, which the convolution reads and which is then cut off.
        enlarged = resize(_rows_of_double(maps, first - 1, rows + 2), (rows + 2, wide), True)
        # In training, `ops.slice` has a far cheaper gradient than an index.
        taps = ops.slice(self.last(enlarged), (0, 1, 0, 0), (batch, rows, wide, TAPS))
        return ops.cast(taps, "float32")


def _rows_of_double(maps: Tensor, first: Tensor, rows: Tensor) -> Tensor:
    """Returns rows of maps upsampled by two, with aligned corners; zeros beyond the maps."""
    height = ops.shape(maps)[1]
    row = ops.arange(rows) + first
    position = ops.cast(ops.clip(row, 0, 2 * height - 1), "float32")
    position = position * (ops.cast(height - 1, "float32") / ops.cast(2 * height - 1, "float32"))
    above = ops.cast(ops.floor(position), "int32")
    share = ops.reshape(position - ops.cast(above, "float32"), (1, -1, 1, 1))
    inside = ops.cast(ops.logical_and(row >= 0, row < 2 * height), "float32")
    inside = ops.reshape(inside, (1, -1, 1, 1))
    upper = ops.cast(ops.take(maps, above, axis=1), "float32")
    lower = ops.cast(ops.take(maps, ops.minimum(above + 1, height - 1), axis=1), "float32")
    blended = upper * (inside * (1 - share)) + lower * (inside * share)
    return ops.cast(blended, maps.dtype)
