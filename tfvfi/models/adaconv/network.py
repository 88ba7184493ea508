"""AdaConv: a kernel of 41 x 82 taps per pixel, estimated from the 79 x 79 pixels around it.

A network reads a window of both frames and ends in a single feature vector. A softmax over all of
its elements yields the kernels of the window's central pixel, 41 x 41 taps for each frame. The
pixel is the sum of both frames, weighted by these kernels.

The windows of neighboring pixels overlap almost entirely. A whole frame is therefore computed
densely, with every layer evaluated once per position. Where the network skips every second
position, neighboring pixels need the odd positions too, so the even and odd rows and columns are
processed as four smaller pictures (64 after three such steps), which are reassembled at the end.
Nearly all multiplications are in the last two layers, which are products of large matrices; the
first of them has a native form that needs fewer. Frames are rendered in strips; each convolution
keeps the last rows that it read for the strip below.
"""

from typing import Any

import keras
from keras import layers, ops

from tfvfi import images
from tfvfi.errors import ArgumentError
from tfvfi.layers import Block, slopes
from tfvfi.models.adaconv.trunk import SPACING, Trunk
from tfvfi.models.middle import MiddleInterpolator
from tfvfi.models.strips import paint_in_strips, strip_rows
from tfvfi.ops import local_convolution
from tfvfi.ops.convolution import fused_spaced_convolution, spaced_fusible
from tfvfi.ops.tensor import Tensor

# How far a pixel's window reaches to each side; its last row and column are never read.
REACH = 39
WINDOW = 2 * REACH + 1
CONTEXT = WINDOW - 2
# Side of each frame's kernel.
TAPS = 41
KERNEL_REACH = TAPS // 2
# Side of the square of feature positions from which a pixel's kernels are computed.
GATHERED = 4
GATHERED_CONTEXT = (GATHERED - 1) * SPACING
BORDERS = ("zeros", "renormalize")
# The smallest weight that "renormalize" divides by.
LEAST_WEIGHT = 1e-3
# Rows of the frame that are rendered at a time.
ROWS_AT_ONCE = 32
# A pixel's kernels and their features take 60 KB; this many pixels are in memory at a time.
PIXELS_AT_ONCE = 3 * 2**12


@keras.saving.register_keras_serializable("tfvfi")
class AdaConv(MiddleInterpolator):
    """AdaConv in the form of the Keras project, where batch norms follow the ReLU.

    Whole frames are always rendered with the moving statistics of the batch norms; the objective,
    which trains on windows, uses the statistics of the batch.

    Args:
        border: What lies beyond the frame: "zeros" as in the Keras project, which darkens pixels
            near the border, or "renormalize", which divides by the kernel's weight inside.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("adaconv", weights=None)
        >>> frames = np.zeros((2, 8, 16, 3), "uint8")
        >>> model.interpolate(frames[0], frames[1])[0].shape
        (8, 16, 3)
    """

    build_side = SPACING

    def __init__(self, border: str = "zeros", **kwargs: Any):
        if border not in BORDERS:
            raise ArgumentError(f"border is one of {', '.join(BORDERS)}. Received: {border!r}")
        super().__init__(**kwargs)
        self.border = border
        self.trunk = Trunk(dtype=self.dtype_policy, name="trunk")
        self.head = Head(dtype=self.dtype_policy, name="head")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {**super().get_config(), "border": self.border}

    def middle(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Renders the middle frame, as "frame"."""
        batch, height, width, _ = ops.shape(frame0)
        # The native form needs several rows at a time, and therefore parts of them. Products of
        # matrices do not, and a loop within a loop could not be exported to ONNX.
        in_parts = spaced_fusible(frame0, GATHERED, 1)
        if in_parts:
            rows = strip_rows(height, 1, ROWS_AT_ONCE, multiple=SPACING)
            columns = strip_rows(width, batch * rows, PIXELS_AT_ONCE, multiple=SPACING)
        else:
            rows = strip_rows(height, batch * width, PIXELS_AT_ONCE, multiple=SPACING)
            columns = images.next_multiple(width, SPACING)
        painted = images.next_multiple(height, rows), images.next_multiple(width, columns)
        below, beside = painted[0] - height, painted[1] - width
        after = CONTEXT - REACH
        around = (REACH, after + below, REACH, after + beside)
        pair = images.pad_zeros(_as_published(frame0, frame1), around)
        around = (KERNEL_REACH, KERNEL_REACH + below, KERNEL_REACH, KERNEL_REACH + beside)
        sources = [images.pad_zeros(self._source(frame), around) for frame in (frame0, frame1)]

        def paint(first: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
            kept, features_above = above
            features, kept = self.trunk(_rows(pair, first + CONTEXT, rows), above=kept)
            features = ops.concatenate([features_above, features], axis=1)
            within = [_rows(source, first, rows + 2 * KERNEL_REACH) for source in sources]

            def paint_columns(first: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
                kernels = self.head(_columns(features, first, columns + GATHERED_CONTEXT))
                parts = [_columns(part, first, columns + 2 * KERNEL_REACH) for part in within]
                return _turned(self._pixels(kernels, parts)), ()

            if in_parts:
                strip = paint_in_strips(paint_columns, (batch, painted[1], rows), columns)
            else:
                strip, _ = paint_columns(0, ())
            return _turned(strip), (kept, features[:, -GATHERED_CONTEXT:])

        features, kept = self.trunk(pair[:, :CONTEXT])
        frame = paint_in_strips(paint, (batch, *painted), rows, above=(kept, features))
        return {"frame": frame[:, :height, :width]}

    def kernels(self, frame0: Tensor, frame1: Tensor, training: bool = False) -> Tensor:
        """Returns the kernels of all pixels whose window lies inside the frames.

        Args:
            frame0: (B, H, W, 3), at least 79 x 79.
            frame1: The second frame, of the same shape.
            training: Whether the batch norms use the statistics of these frames.

        Returns:
            (B, H - 78, W - 78, 41, 82), float32: columns 0 to 40 for frame0, the others for frame1.
        """
        pair = _as_published(frame0, frame1)
        if tuple(pair.shape[1:3]) == (WINDOW, WINDOW):
            features, _ = self.trunk(pair, dense=False, training=training)
            return self.head(features, spacing=1)
        height, width = (side - 2 * REACH for side in images.size(pair))
        pair = pair[:, : height + CONTEXT, : width + CONTEXT]
        pair = images.pad_zeros(pair, images.pad_end(height, width, SPACING))
        features, _ = self.trunk(pair, training=training)
        return self.head(features[:, : height + GATHERED_CONTEXT, : width + GATHERED_CONTEXT])

    def _source(self, frame: Tensor) -> Tensor:
        """Returns a frame to be weighted by kernels; "renormalize" needs a channel of ones."""
        if self.border == "zeros":
            return frame
        return ops.concatenate([frame, ops.ones_like(frame[..., :1])], axis=-1)

    def _pixels(self, kernels: Tensor, sources: list[Tensor]) -> Tensor:
        weighed = weigh(kernels, *sources)
        if self.border == "zeros":
            return weighed
        return weighed[..., :3] / ops.maximum(weighed[..., 3:], LEAST_WEIGHT)


@keras.saving.register_keras_serializable("tfvfi.adaconv")
class Head(Block):
    """Computes a pixel's kernels from the features of its window."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.gather = Product(2048, GATHERED, activation="relu", dtype=policy, name="gather")
        self.taps = Product(2 * TAPS**2, 1, dtype=policy, name="taps")

    def call(self, features: Tensor, spacing: int = SPACING) -> Tensor:
        """Returns kernels (B, h, w, 41, 82), each of which sums to 1.

        Args:
            features: (B, h + 3 spacing, w + 3 spacing, 256).
            spacing: The distance between the features of one window.
        """
        logits = ops.cast(self.taps(self.gather(features, spacing=spacing)), "float32")
        height, width = images.size(logits)
        return ops.reshape(ops.softmax(logits), (-1, height, width, TAPS, 2 * TAPS))


@keras.saving.register_keras_serializable("tfvfi.adaconv")
class Product(layers.Conv2D):
    """A convolution of few positions and many channels, computed as one large matrix product.

    Where it has many positions after all, it is computed natively with fewer multiplications.
    """

    def call(self, features: Tensor, spacing: int = 1) -> Tensor:
        """Returns the convolved features, reading every `spacing`-th position."""
        side = self.kernel_size[0]
        if spaced_fusible(features, side, spacing):
            return fused_spaced_convolution(features, self.kernel, self.bias, slopes(self), spacing)
        height, width = (size - (side - 1) * spacing for size in images.size(features))
        windows = ops.concatenate(
            [
                features[:, row : row + height, column : column + width]
                for row in range(0, side * spacing, spacing)
                for column in range(0, side * spacing, spacing)
            ],
            axis=-1,
        )
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        product = ops.matmul(ops.reshape(windows, (-1, matrix.shape[0])), matrix)
        convolved = self.activation(product + self.bias)
        return ops.reshape(convolved, (-1, height, width, self.filters))


def weigh(kernels: Tensor, source0: Tensor, source1: Tensor) -> Tensor:
    """Returns the sum of both sources, weighted by the kernels of every pixel.

    Args:
        kernels: (B, h, w, 41, 82).
        source0: (B, h + 40, w + 40, C), with any number of channels.
        source1: The second source, of the same shape.
    """
    first, second = kernels[..., :TAPS], kernels[..., TAPS:]
    return local_convolution(source0, first) + local_convolution(source1, second)


def _as_published(frame0: Tensor, frame1: Tensor) -> Tensor:
    """Returns both frames in the published form: blue, green, red, from 0 to 255."""
    # PyTorch has no slices with negative steps.
    reversed_colors = [ops.flip(frame, axis=-1) for frame in (frame0, frame1)]
    return 255.0 * ops.concatenate(reversed_colors, axis=-1)


def _rows(picture: Tensor, first: Tensor, rows: Tensor) -> Tensor:
    batch, _, width, channels = ops.shape(picture)
    return ops.slice(picture, (0, first, 0, 0), (batch, rows, width, channels))


def _columns(picture: Tensor, first: Tensor, columns: Tensor) -> Tensor:
    batch, height, _, channels = ops.shape(picture)
    return ops.slice(picture, (0, 0, first, 0), (batch, height, columns, channels))


def _turned(picture: Tensor) -> Tensor:
    """Returns a picture with rows and columns exchanged, so that columns are painted like rows."""
    return ops.transpose(picture, (0, 2, 1, 3))
