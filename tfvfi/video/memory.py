"""Estimates the memory that interpolation takes, and chooses tiles that keep it within bounds.

As measured on a CPU, the libraries take `PROCESS`, a network takes `bytes_per_pixel` of its class
for each pixel of a tile, frames wait between the threads, and an encoder looks ahead. The frames
determine everything except the size of the tiles, which can therefore be chosen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvfi.video.treatment import AUTO, OFF

# Bytes that Python, TensorFlow, FFmpeg and a loaded network take.
PROCESS = 2**30 * 3 // 4
# The default for networks that do not state it.
BYTES_PER_PIXEL = 1500
# The most frames that may wait between decoder, network and encoder, and the most bytes of them.
MOST_WAITING, BYTES_WAITING = 8, 2**28
# An encoder holds up to this many frames because it looks 40 to 60 frames ahead; a pixel in YUV
# 4:2:0 has 1.5 values.
ENCODED, YUV = 60, 1.5
# Bytes of a pixel of a tiled frame, which is blended as float32, and the most bytes of all tiled
# frames of one call.
MIXED, BYTES_MIXED = 12, 2**29
# The smallest side of a tile, however little memory there is; other sides are multiples of STEP.
SMALLEST_SIDE, STEP = 256, 64


@dataclass(frozen=True)
class Frames:
    """The properties of frames that are known before the work begins.

    Attributes:
        size: The height and width.
        channels: 3, or 4 with transparency.
        depth: The number of bytes of a value.
        encoded: Whether an encoder holds frames to look ahead.
    """

    size: tuple[int, int]
    channels: int = 3
    depth: int = 1
    encoded: bool = True

    @classmethod
    def like(cls, frame: np.ndarray) -> "Frames":
        """Returns the properties of frames like this one, which are not encoded."""
        return cls(frame.shape[:2], frame.shape[-1], frame.itemsize, encoded=False)

    @property
    def pixels(self) -> int:
        """The number of pixels in a frame."""
        return self.size[0] * self.size[1]

    @property
    def waiting(self) -> int:
        """The number of frames that may wait in each of the two queues."""
        one = self.pixels * self.channels * self.depth
        return max(1, min(MOST_WAITING, BYTES_WAITING // one))

    @property
    def fixed(self) -> int:
        """The number of bytes needed for everything but the tiles."""
        held = (2 * self.waiting + 4) * self.pixels * self.channels * self.depth
        encoder = ENCODED * YUV * self.pixels * self.depth if self.encoded else 0
        return PROCESS + held + int(encoder)

    def needed(self, network: Any, side: int | None) -> int:
        """Returns the number of bytes that the work takes.

        Args:
            network: A network.
            side: The side of the tiles; None for whole frames.
        """
        each = bytes_per_pixel(network)
        if side is None:
            return self.fixed + each * self.pixels
        mixed = MIXED * self.pixels * times_at_once(self.pixels)
        return self.fixed + mixed + each * min(side, self.size[0]) * min(side, self.size[1])

    def side(self, network: Any, memory: float) -> int | None:
        """Returns the side of the largest tiles that fit; None if whole frames fit.

        Args:
            network: A network.
            memory: The memory in GiB that the whole process may use.
        """
        most = memory * 2**30
        if self.needed(network, None) <= most:
            return None
        side = (max(self.size) - 1) // STEP * STEP
        while side > SMALLEST_SIDE and self.needed(network, side) > most:
            side -= STEP
        return max(side, SMALLEST_SIDE)


def tile_side(tile: str | int, frames: Frames, network: Any, memory: float) -> int | None:
    """Returns the side of the tiles into which frames are cut; None if they stay whole.

    Args:
        tile: "auto", "off", or a side.
        frames: The properties of the frames.
        network: The network that renders them.
        memory: The memory in GiB that the whole process may use, for "auto".
    """
    if tile == OFF:
        return None
    side = frames.side(network, memory) if tile == AUTO else int(tile)
    return side if side is not None and max(frames.size) > side else None


def bytes_per_pixel(network: Any) -> int:
    """Returns the number of bytes that a network takes for each pixel of a frame or tile."""
    return getattr(network, "bytes_per_pixel", BYTES_PER_PIXEL)


def times_at_once(pixels: int) -> int:
    """Returns how many tiled frames of so many pixels may be blended at once."""
    return max(1, BYTES_MIXED // (MIXED * pixels))
