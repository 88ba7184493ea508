"""Reads animated WebP, which not every build of FFmpeg can; the container is simple.

A file is RIFF: chunks of a four-letter name, a length, data, and a zero byte if the length is odd.
"VP8X" holds flags and the size of the canvas, "ANIM" the number of repetitions, and each "ANMF" a
frame: its position, its duration in milliseconds, and the chunks of a still WebP.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.claims import MOST_PIXELS, check_pixels, claimed_size
from tfvfi.media.look import Look
from tfvfi.media.sequence import decode
from tfvfi.media.shown import Shown

# Flags of the whole file ...
ANIMATED, TRANSPARENT = 0x02, 0x10
# ... and of a frame: it replaces the pixels under it; the area it covered is cleared afterwards.
REPLACES, CLEARED = 0x02, 0x01
# The duration that browsers use for frames that state none.
MILLISECONDS_WHERE_NONE = 100
LARGEST_SIDE = 2**14


class AnimatedWebP:
    """The frames of an animated WebP, with transparency if it has any.

    Args:
        path: The file.
        max_pixels: The largest number of pixels; a larger file is refused before it is decoded.

    Raises:
        InputError: The file is damaged, or it is not an animation.
    """

    start = Fraction(0)
    has_clock = True

    def __init__(self, path: Path, max_pixels: int = MOST_PIXELS):
        self.path = path
        self.paths = [path]
        lengths = []
        flags, width, height = 0, 0, 0
        with path.open("rb") as file:
            for name, data in _chunks(file, path):
                if name == b"VP8X" and len(data) >= 10:
                    flags, width, height = data[0], _three(data, 4) + 1, _three(data, 7) + 1
                if name == b"ANMF":
                    lengths.append(_length(data))
        if not lengths or not width:
            raise InputError(f"{path} cannot be read as a video: it holds no animation")
        if max(width, height) > LARGEST_SIDE:
            raise InputError(f"{path} is damaged: it claims {width}x{height} pixels")
        self.size = (height, width)
        check_pixels(path, self.size, max_pixels)
        self.look = Look(alpha=bool(flags & TRANSPARENT))
        self.frames_expected = len(lengths)
        self.seconds_expected = Fraction(sum(lengths), 1000)
        self.rate = self.frames_expected / self.seconds_expected
        self.time_base = Fraction(1, 1000)

    def __iter__(self) -> Iterator[Shown]:
        """Yields the frames without transparency."""
        return self.frames()

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the frames, each as the whole canvas.

        Args:
            alpha: Whether the frames have a fourth channel.
        """
        canvas = np.zeros((*self.size, 4), np.uint8)
        if not self.look.alpha:
            canvas[..., 3] = 255
        time = Fraction(0)
        with self.path.open("rb") as file:
            for name, data in _chunks(file, self.path):
                if name != b"ANMF":
                    continue
                place = self._draw(canvas, data)
                length = Fraction(_length(data), 1000)
                yield Shown(canvas[..., : 4 if alpha else 3].copy(), time, length)
                time += length
                if data[15] & CLEARED:
                    canvas[place] = (0, 0, 0, 0 if self.look.alpha else 255)

    def _draw(self, canvas: np.ndarray, data: bytes) -> tuple[slice, slice]:
        """Draws a frame on the canvas and returns its position."""
        left, top = 2 * _three(data, 0), 2 * _three(data, 3)
        picture, size = _still(data), (_three(data, 9) + 1, _three(data, 6) + 1)
        still = None
        if claimed_size(picture) == size:
            still = decode(np.frombuffer(picture, np.uint8))
        if still is None or still.shape[:2] != size:
            raise InputError(f"{self.path} is damaged: a frame cannot be decoded")
        place = slice(top, top + still.shape[0]), slice(left, left + still.shape[1])
        under = canvas[place]
        if under.shape[:2] != still.shape[:2]:
            raise InputError(f"{self.path} is damaged: a frame lies outside of its picture")
        if still.shape[-1] == 3:
            canvas[place] = np.dstack([still, np.full(still.shape[:2], 255, np.uint8)])
        elif data[15] & REPLACES:
            canvas[place] = still
        else:
            canvas[place] = _over(still, under)
        return place


def is_animated_webp(path: Path) -> bool:
    """Returns whether a file is an animated WebP."""
    with path.open("rb") as file:
        start = file.read(21)
    return (
        start[:4] == b"RIFF"
        and start[8:16] == b"WEBPVP8X"
        and len(start) == 21
        and bool(start[20] & ANIMATED)
    )


def _chunks(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yields the chunks of a file; raises `InputError` if a chunk reaches beyond the file."""
    end = path.stat().st_size
    file.seek(12)
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        if file.tell() + length > end:
            raise InputError(f"{path} is damaged: it ends in the middle of a frame")
        yield name, file.read(length)
        file.read(length % 2)


def _length(data: bytes) -> int:
    """Returns the duration of a frame in milliseconds."""
    return _three(data, 12) or MILLISECONDS_WHERE_NONE


def _still(data: bytes) -> bytes:
    """Returns a frame of an animation as the bytes of a still WebP file."""
    inside = data[16:]
    if inside[:4] == b"ALPH":
        inside = chunk(b"VP8X", bytes([TRANSPARENT, 0, 0, 0]) + data[6:12]) + inside
    return b"RIFF" + struct.pack("<I", 4 + len(inside)) + b"WEBP" + inside


def chunk(name: bytes, data: bytes) -> bytes:
    """Returns the bytes of a chunk."""
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _three(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 3], "little")


def _over(top: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Composites one picture over another, both with alpha."""
    above, below = (part[..., 3:].astype(np.float32) / 255 for part in (top, under))
    alpha = above + below * (1 - above)
    color = top[..., :3] * above + under[..., :3] * below * (1 - above)
    color = color / np.maximum(alpha, 1e-6)
    return np.rint(np.concatenate([color, alpha * 255], axis=-1)).astype(np.uint8)
