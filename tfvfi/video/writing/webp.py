"""Writes animated WebP; `tfvfi.media.webp` describes the container."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tfvfi.media.webp import ANIMATED, REPLACES, TRANSPARENT, chunk


def write_webp(
    path: Path, stills: Iterable[bytes], milliseconds: Iterable[int], first: np.ndarray
) -> None:
    """Joins still WebP pictures to an animation that repeats for ever.

    Args:
        path: The file to write.
        stills: The bytes of still WebP files of one size.
        milliseconds: The duration of each picture.
        first: The first picture, decoded.
    """
    height, width, channels = first.shape
    flags = ANIMATED | (TRANSPARENT if channels == 4 else 0)
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    with path.open("wb") as file:
        file.write(b"RIFF\0\0\0\0WEBP")
        file.write(chunk(b"VP8X", bytes([flags, 0, 0, 0]) + canvas))
        file.write(chunk(b"ANIM", bytes(6)))
        for still, shown in zip(stills, milliseconds, strict=True):
            head = bytes(6) + canvas + struct.pack("<I", shown)[:3] + bytes([REPLACES])
            file.write(chunk(b"ANMF", head + _inside(still)))
        length = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", length))


def _inside(still: bytes) -> bytes:
    """Returns the chunks of a still file that hold the picture."""
    kept, start = [], 12
    while start + 8 <= len(still):
        name, length = struct.unpack_from("<4sI", still, start)
        if name in (b"ALPH", b"VP8 ", b"VP8L"):
            kept.append(chunk(name, still[start + 8 : start + 8 + length]))
        start += 8 + length + length % 2
    return b"".join(kept)
