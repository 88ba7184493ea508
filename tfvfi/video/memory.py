"""How much memory the work on frames of a size takes, and the tiles that keep it within bounds.

Measured on a processor: the libraries take `PROCESS`; a network takes as many bytes for each pixel
of a tile as its class states in `bytes_per_pixel`; frames wait between the threads; and an encoder
looks ahead. All but the tile is given by the frames, so the tile is what can be chosen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvfi.video.treatment import AUTO, OFF

# What Python, TensorFlow, FFmpeg and a loaded network take.
PROCESS = 2**30 * 3 // 4
# Of a network that does not state it.
BYTES_PER_PIXEL = 1500
# Frames that may wait between decoder, network and encoder: at most so many, and so many bytes.
MOST_WAITING, BYTES_WAITING = 8, 2**28
# Frames that an encoder holds, in YUV of quarter chroma: it looks 40 to 60 frames ahead.
ENCODED, YUV = 60, 1.5
# Tiled frames are mixed as floats: all of one call at once, within these bytes.
MIXED, BYTES_MIXED = 12, 2**29
# No tile is smaller, however little memory there is, and sides are multiples.
SMALLEST_SIDE, STEP = 256, 64


@dataclass(frozen=True)
class Frames:
    """What is known of the frames before the work begins.

    Attributes:
        size: Height and width.
        channels: 3, or 4 with transparency.
        depth: Bytes of a value.
        encoded: Whether an encoder looks ahead.
    """

    size: tuple[int, int]
    channels: int = 3
    depth: int = 1
    encoded: bool = True

    @classmethod
    def like(cls, frame: np.ndarray) -> "Frames":
        """Frames that nobody encodes, as one of them is."""
        return cls(frame.shape[:2], frame.shape[-1], frame.itemsize, encoded=False)

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.size[0] * self.size[1]

    @property
    def waiting(self) -> int:
        """How many frames may wait in each of the two queues."""
        one = self.pixels * self.channels * self.depth
        return max(1, min(MOST_WAITING, BYTES_WAITING // one))

    @property
    def fixed(self) -> int:
        """Bytes that are taken however large the tiles are."""
        held = (2 * self.waiting + 4) * self.pixels * self.channels * self.depth
        encoder = ENCODED * YUV * self.pixels * self.depth if self.encoded else 0
        return PROCESS + held + int(encoder)

    def needed(self, network: Any, side: int | None) -> int:
        """Bytes that the work takes.

        Args:
            network: A network.
            side: Of the tiles; None for whole frames.
        """
        each = bytes_per_pixel(network)
        if side is None:
            return self.fixed + each * self.pixels
        mixed = MIXED * self.pixels * times_at_once(self.pixels)
        return self.fixed + mixed + each * min(side, self.size[0]) * min(side, self.size[1])

    def side(self, network: Any, memory: float) -> int | None:
        """The side of the largest tiles that fit; None if whole frames do.

        Args:
            network: A network.
            memory: GiB that the whole process may take.
        """
        most = memory * 2**30
        if self.needed(network, None) <= most:
            return None
        side = (max(self.size) - 1) // STEP * STEP
        while side > SMALLEST_SIDE and self.needed(network, side) > most:
            side -= STEP
        return max(side, SMALLEST_SIDE)


def tile_side(tile: str | int, frames: Frames, network: Any, memory: float) -> int | None:
    """The side of the tiles into which frames are cut; None: they stay whole.

    Args:
        tile: "auto", "off", or a side.
        frames: What is known of them.
        network: What renders them.
        memory: GiB that the whole process may take by "auto".
    """
    if tile == OFF:
        return None
    side = frames.side(network, memory) if tile == AUTO else int(tile)
    return side if side is not None and max(frames.size) > side else None


def bytes_per_pixel(network: Any) -> int:
    """What a network takes for each pixel of a frame or tile."""
    return getattr(network, "bytes_per_pixel", BYTES_PER_PIXEL)


def times_at_once(pixels: int) -> int:
    """How many tiled frames of so many pixels are mixed at once."""
    return max(1, BYTES_MIXED // (MIXED * pixels))
