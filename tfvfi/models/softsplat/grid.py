"""GridNet (Fourure et al., BMVC 2017): a grid of maps at several sizes, connected along columns."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

import keras

from tfvfi import images
from tfvfi.layers import Block, Conv2D, PReLU, slopes
from tfvfi.ops import resize
from tfvfi.ops.tensor import Tensor

Direction = Literal["down", "up"]


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Grid(Block):
    """A grid of maps in which each row has half the size of the row above.

    Every row is processed from column to column; within a column, each row is added to the next
    one, downward or upward.

    Args:
        channels: Channels of each row.
        columns: The direction of each column. The first goes down and starts with the inputs.
    """

    def __init__(self, channels: Sequence[int], columns: Sequence[Direction], **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.columns = tuple(channels), tuple(columns)
        self.rows = len(channels)
        self.edges = {
            name: Edge(kind, channels[row], dtype=self.dtype_policy, name=name)
            for name, kind, row in grid_edges(self.rows, columns)
        }

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns the first row of the last column.

        Args:
            inputs: Maps of the upper rows; the other rows receive only what comes from above.
        """
        maps = self._passed_on(0, [*inputs, *[None] * (self.rows - len(inputs))])
        for column in range(1, len(self.columns)):
            across = [
                self.edges[_edge((row, column - 1), (row, column))](maps[row])
                for row in range(self.rows)
            ]
            maps = self._passed_on(column, across)
        return maps[0]

    def _passed_on(self, column: int, maps: list[Tensor]) -> list[Tensor]:
        """Returns the rows of a column, each with the contribution of the previous row added."""
        for start, end in _within(self.rows, self.columns[column]):
            passed = self.edges[_edge((start, column), (end, column))](maps[start])
            if maps[end] is not None:
                # An odd size, halved and rounded up, is one pixel too large when doubled.
                height, width = images.size(maps[end])
                passed = maps[end] + passed[:, :height, :width]
            maps[end] = passed
        return maps


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Edge(Block):
    """Two convolutions that connect neighboring positions of a grid.

    Args:
        kind: "across" adds them to their input, "down" halves the size, "up" doubles it.
        filters: Output channels.
    """

    def __init__(self, kind: str, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.kind, self.filters = kind, filters
        rounded = {"dtype": self.dtype_policy}
        plain = {"use_bias": False, **rounded}
        self.prelu0 = PReLU(name="prelu0", **rounded)
        self.conv0 = Conv2D(filters, strides=2 if kind == "down" else 1, name="conv0", **plain)
        self.prelu1 = PReLU(name="prelu1", **rounded)
        self.conv1 = Conv2D(filters, name="conv1", **plain)

    def call(self, maps: Tensor) -> Tensor:
        """Returns the maps of the next position."""
        size = resize(maps, 2) if self.kind == "up" else maps
        hidden = conv_prelu(self.conv0, self.prelu1, self.prelu0(size))
        return conv_add(self.conv1, hidden, maps if self.kind == "across" else None)


@keras.saving.register_keras_serializable("tfvfi.softsplat")
class Bridge(Block):
    """Two convolutions with a residual connection, which change the number of channels.

    Args:
        between: Channels between the convolutions.
        filters: Output channels.
    """

    def __init__(self, between: int, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.between, self.filters = between, filters
        plain = {"use_bias": False, "dtype": self.dtype_policy}
        self.conv0 = Conv2D(between, name="conv0", **plain)
        self.prelu = PReLU(dtype=self.dtype_policy, name="prelu")
        self.conv1 = Conv2D(filters, name="conv1", **plain)
        self.shortcut = Conv2D(filters, 1, name="shortcut", **plain)

    def call(self, maps: Tensor) -> Tensor:
        """Returns maps with the new number of channels."""
        hidden = conv_prelu(self.conv0, self.prelu, maps)
        return conv_add(self.conv1, hidden, self.shortcut(maps))


def conv_prelu(conv: Conv2D, prelu: PReLU, maps: Tensor) -> Tensor:
    """Returns convolved maps after the PReLU, in one operation where possible."""
    if prelu.built and conv.fusible(maps):
        return conv.fused(maps, prelu.alpha)
    return prelu(conv(maps))


def conv_add(conv: Conv2D, maps: Tensor, shortcut: Tensor | None = None) -> Tensor:
    """Returns convolved maps with a shortcut added, in one operation where possible."""
    if conv.fusible(maps):
        return conv.fused(maps, slopes(conv), shortcut)
    found = conv(maps)
    return found if shortcut is None else shortcut + found


def grid_edges(rows: int, columns: Sequence[Direction]) -> Iterator[tuple[str, str, int]]:
    """Yields name, kind and last row of every edge, in the published order."""
    for row in range(rows):
        for column in range(1, len(columns)):
            yield _edge((row, column - 1), (row, column)), "across", row
    for column, direction in enumerate(columns):
        for start, end in _within(rows, direction):
            yield _edge((start, column), (end, column)), direction, end


def _within(rows: int, direction: Direction) -> list[tuple[int, int]]:
    """Returns pairs of consecutive rows in the direction of a column."""
    order = list(range(rows)) if direction == "down" else list(reversed(range(rows)))
    return list(pairwise(order))


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Returns the name of an edge between two positions (row, column), such as 0x0_0x1."""
    return "_".join(f"{row}x{column}" for row, column in (start, end))
