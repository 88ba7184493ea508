"""Large frames in overlapping tiles, so that memory is that of a tile.

Tiles overlap by a quarter of their side. Where they do, their frames are mixed by weights that add
up to one: over the middle third of the overlap one tile hands over to the next, and neither counts
near its own border. So tiles equal the whole where the network looks no further than a third of the
overlap, and elsewhere no step can show.

A tile sees only itself: motion that is larger than the overlap leads out of it, and its frames
are then filled from the border. `Tiling.too_fast` detects it; larger tiles, or motion estimated at
a lower resolution (`scale` of the networks that have it), are the cure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tfvfi.media.levels import white
from tfvfi.video.contract import FrameInterpolator

# Share of a tile's side that overlaps the next one.
OVERLAP = 4
# Motion is looked at in frames of this width.
GLANCE = 480


@dataclass(frozen=True)
class Tile:
    """A part of a frame, and how much each of its rows and columns counts."""

    rows: slice
    columns: slice
    row_weights: np.ndarray
    column_weights: np.ndarray


@dataclass(frozen=True)
class Tiling:
    """How frames of one size are cut.

    Attributes:
        size: Height and width of the frames.
        side: Of a tile.
    """

    size: tuple[int, int]
    side: int

    @property
    def overlap(self) -> int:
        """How many pixels neighbors share at least."""
        return self.side // OVERLAP

    def tiles(self) -> Iterator[Tile]:
        """The tiles, from the top left to the bottom right."""
        height, width = self.size
        for rows, row_weights in _pieces(height, self.side, self.overlap):
            for columns, column_weights in _pieces(width, self.side, self.overlap):
                yield Tile(rows, columns, row_weights, column_weights)

    def interpolate(
        self,
        network: FrameInterpolator,
        frame0: np.ndarray,
        frame1: np.ndarray,
        times: Sequence[float],
    ) -> list[np.ndarray]:
        """Frames between two, tile by tile.

        Args:
            network: Interpolates a tile.
            frame0: The first frame, float32 in [0, 1] or integers.
            frame1: The second.
            times: Where between them.
        """
        most = white(frame0.dtype)
        mixed = [np.zeros(frame0.shape, np.float32) for _ in times]
        for tile in self.tiles():
            place = tile.rows, tile.columns
            # Floats all the way: rounding each tile would be seen where they are mixed.
            pair = (
                frame[place].astype(np.float32) / np.float32(most) for frame in (frame0, frame1)
            )
            weights = tile.row_weights[:, None, None] * tile.column_weights[:, None]
            for frame, rendered in zip(mixed, network.interpolate(*pair, times), strict=True):
                frame[place] += weights * rendered
        return [_as(frame, frame0.dtype, most) for frame in mixed]

    def too_fast(self, frame0: np.ndarray, frame1: np.ndarray) -> int | None:
        """The largest motion in pixels, if it is larger than the overlap."""
        longest = _longest_motion(frame0, frame1)
        return round(longest) if longest > self.overlap else None


def _pieces(length: int, side: int, overlap: int) -> list[tuple[slice, np.ndarray]]:
    """Pieces of one side that cover a length evenly, with weights that add up to one."""
    side = min(side, length)
    count = 1 if length == side else -(-(length - overlap) // (side - overlap))
    starts = [round(number * (length - side) / max(1, count - 1)) for number in range(count)]
    pieces = []
    for number, start in enumerate(starts):
        weights = np.ones(side, np.float32)
        if number:
            shared = starts[number - 1] + side - start
            weights[:shared] = _rise(shared)
        if number + 1 < count:
            shared = start + side - starts[number + 1]
            weights[-shared:] = 1 - _rise(shared)
        pieces.append((slice(start, start + side), weights))
    return pieces


def _rise(length: int) -> np.ndarray:
    """A third 0, where a tile does not know what is beyond its border; a third up; a third 1."""
    return np.clip(3 * (np.arange(length) + 0.5) / length - 1, 0, 1).astype(np.float32)


def _as(frame: np.ndarray, dtype: np.dtype, most: float) -> np.ndarray:
    """The frame in the type asked for; changed in place, for frames are large here."""
    np.clip(frame, 0, 1, out=frame)
    if np.dtype(dtype).kind == "f":
        return frame.astype(dtype, copy=False)
    frame *= np.float32(most)
    return np.rint(frame, out=frame).astype(dtype)


def _longest_motion(frame0: np.ndarray, frame1: np.ndarray) -> float:
    """How far nearly everything moves at most, in pixels, from a glance at small frames."""
    shrink = min(1.0, GLANCE / frame0.shape[1])
    small = []
    for frame in (frame0, frame1):
        size = [max(16, round(side * shrink)) for side in frame.shape[1::-1]]
        shrunk = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(shrunk, cv2.COLOR_RGB2GRAY)
        small.append((grey * (255 / white(grey.dtype))).astype(np.uint8))
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(*small, None)
    return float(np.percentile(np.hypot(flow[..., 0], flow[..., 1]), 99)) / shrink
