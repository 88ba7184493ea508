"""Interpolates large frames in overlapping tiles, so that the network needs memory for one tile.

Tiles overlap by a quarter of their side. In the overlap, their frames are blended with weights that
add up to one: the weights change from one tile to the next over the middle third of the overlap,
and are 0 near the border of a tile. Tiles therefore give the same result as the whole frame if the
network looks no further than a third of the overlap; otherwise the transitions are still gradual.

The network sees only one tile at a time. Motion that is larger than the overlap leads out of the
tile, and the new frames are then filled from its border. `Tiling.too_fast` detects this. Larger
tiles help, and so does motion estimated at a lower resolution (`scale` of some networks).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tfvfi.media.levels import white
from tfvfi.video.contract import FrameInterpolator

# Tiles overlap by 1 / OVERLAP of their side.
OVERLAP = 4
# Motion is estimated in frames of this width.
GLANCE = 480


@dataclass(frozen=True)
class Tile:
    """A part of a frame, and the weights of its rows and columns."""

    rows: slice
    columns: slice
    row_weights: np.ndarray
    column_weights: np.ndarray


@dataclass(frozen=True)
class Tiling:
    """The division of frames of one size into tiles.

    Attributes:
        size: The height and width of the frames.
        side: The side of a tile.
    """

    size: tuple[int, int]
    side: int

    @property
    def overlap(self) -> int:
        """The least overlap of neighboring tiles, in pixels."""
        return self.side // OVERLAP

    def tiles(self) -> Iterator[Tile]:
        """Yields the tiles, from the top left to the bottom right."""
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
        """Returns the frames between two frames, rendered tile by tile.

        Args:
            network: The network that interpolates each tile.
            frame0: The first frame, float32 in [0, 1] or integers.
            frame1: The second frame.
            times: The times of the new frames.
        """
        most = white(frame0.dtype)
        mixed = [np.zeros(frame0.shape, np.float32) for _ in times]
        for tile in self.tiles():
            place = tile.rows, tile.columns
            # Tiles stay float32, because rounding each tile would show where they are blended.
            pair = (
                frame[place].astype(np.float32) / np.float32(most) for frame in (frame0, frame1)
            )
            weights = tile.row_weights[:, None, None] * tile.column_weights[:, None]
            for frame, rendered in zip(mixed, network.interpolate(*pair, times), strict=True):
                frame[place] += weights * rendered
        return [_as(frame, frame0.dtype, most) for frame in mixed]

    def too_fast(self, frame0: np.ndarray, frame1: np.ndarray) -> int | None:
        """Returns the largest motion in pixels if it is larger than the overlap; otherwise None."""
        longest = _longest_motion(frame0, frame1)
        return round(longest) if longest > self.overlap else None


def _pieces(length: int, side: int, overlap: int) -> list[tuple[slice, np.ndarray]]:
    """Returns evenly spaced pieces that cover a length, with weights that add up to one."""
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
    """Returns weights that are 0 for a third, near the border, rise for a third, and then are 1."""
    return np.clip(3 * (np.arange(length) + 0.5) / length - 1, 0, 1).astype(np.float32)


def _as(frame: np.ndarray, dtype: np.dtype, most: float) -> np.ndarray:
    """Converts a frame to a type, partly in place because the frames are large."""
    np.clip(frame, 0, 1, out=frame)
    if np.dtype(dtype).kind == "f":
        return frame.astype(dtype, copy=False)
    frame *= np.float32(most)
    return np.rint(frame, out=frame).astype(dtype)


def _longest_motion(frame0: np.ndarray, frame1: np.ndarray) -> float:
    """Estimates the 99th percentile of the motion, in pixels, from reduced frames."""
    shrink = min(1.0, GLANCE / frame0.shape[1])
    small = []
    for frame in (frame0, frame1):
        size = [max(16, round(side * shrink)) for side in frame.shape[1::-1]]
        shrunk = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(shrunk, cv2.COLOR_RGB2GRAY)
        small.append((grey * (255 / white(grey.dtype))).astype(np.uint8))
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(*small, None)
    return float(np.percentile(np.hypot(flow[..., 0], flow[..., 1]), 99)) / shrink
