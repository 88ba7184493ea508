"""Reads the size that a picture claims from its header, before anything is decoded.

A file of one kilobyte can claim 60000 x 60000 pixels, and decoders would allocate them.
"""

import mmap
import os
import re
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.files import check_file

# Larger pictures and videos are refused unless the user raises the limit: 8192 x 8192.
MOST_PIXELS = 2**26
# OpenCV cannot decode larger pictures.
LARGEST_DECODED = 2**30
# A file may have this many bytes for each pixel that it claims, and this many besides. Four
# uncompressed channels of 16 bits take 8 bytes per pixel.
BYTES_PER_PIXEL, BYTES_BESIDE = 16, 2**26
# The TIFF tags of width and height, and the `struct` formats of the TIFF number types.
TIFF_TAGS, TIFF_TYPES = (256, 257), {3: "H", 4: "I", 16: "Q"}
TIFF_MOST_TAGS = 4096
# The headers of Netpbm: that of PAM, and that of the other formats, which may hold comments.
PAM_HEADER = re.compile(rb"P7\s(?:[^\n]*\n)*?ENDHDR")
PNM_HEADER = re.compile(rb"P[1-6Ff](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)\s")
NETPBM_BYTES = 4096

Bytes = bytes | mmap.mmap


def read_within(path: Path, most: int = MOST_PIXELS) -> np.ndarray:
    """Reads a picture file, but only if the size that it claims is within bounds.

    Args:
        path: The file.
        most: The largest number of pixels that it may claim.

    Returns:
        The bytes of the file.

    Raises:
        InputError: The file cannot be read, is not a picture, or claims too many pixels.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            if not length:
                raise InputError(f"{path} cannot be read as a picture: it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                size = claimed_size(mapped)
            if size is None:
                raise InputError(
                    f"{path} cannot be read as a picture: it is no PNG, JPEG, WebP, TIFF, BMP or "
                    "PPM, or its beginning is damaged"
                )
            check_pixels(path, size, most)
            if length > BYTES_PER_PIXEL * size[0] * size[1] + BYTES_BESIDE:
                raise InputError(
                    f"{path} is damaged: a picture of {size[1]}x{size[0]} pixels does not take "
                    f"{length / 2**20:.0f} MiB"
                )
            return np.fromfile(file, np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def check_pixels(path: Path, size: tuple[int, int], most: int) -> None:
    """Raises an `InputError` if a picture or video claims more pixels than are allowed.

    Args:
        path: The name of the file, for the message.
        size: The claimed height and width.
        most: The number of pixels that are allowed.
    """
    pixels = size[0] * size[1]
    if pixels > max(most, LARGEST_DECODED):
        raise InputError(
            f"{path} claims {size[1]}x{size[0]} pixels, more than can be decoded: it is damaged"
        )
    if pixels > most:
        raise InputError(
            f"{path} claims {size[1]}x{size[0]} pixels; more than {most} are not decoded, because "
            f"memory might not suffice: pass `max_pixels={pixels}` if it really is that large"
        )


def claimed_size(data: Bytes) -> tuple[int, int] | None:
    """Returns the height and width that a picture's header states; None for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        return _big(data[20:24]), _big(data[16:20])
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    if data[:2] == b"BM" and len(data) >= 26:
        return _bmp_size(data)
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff_size(data)
    if data[:1] == b"P":
        return _netpbm_size(data[:NETPBM_BYTES])
    return None


def _jpeg_size(data: Bytes) -> tuple[int, int] | None:
    """Skips from marker to marker up to the frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(data[at + 5 : at + 7]), _big(data[at + 7 : at + 9])
        else:
            at += 2 + max(2, _big(data[at + 2 : at + 4]))
    return None


def _webp_size(data: Bytes) -> tuple[int, int] | None:
    form = data[12:16]
    if form == b"VP8X":
        return 1 + _little(data[27:30]), 1 + _little(data[24:27])
    if form == b"VP8L":
        bits = _little(data[21:25])
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if form == b"VP8 ":
        return _little(data[28:30]) & 0x3FFF, _little(data[26:28]) & 0x3FFF
    return None


def _bmp_size(data: Bytes) -> tuple[int, int]:
    if _little(data[14:18]) == 12:
        return _little(data[20:22]), _little(data[18:20])
    width, height = struct.unpack("<ii", data[18:26])
    # The height is negative if rows are stored from the top down.
    return abs(height), abs(width)


def _tiff_size(data: Bytes) -> tuple[int, int] | None:
    """Reads the first directory of tags, which can be anywhere in the file."""
    order, large = "<>"[data[:1] == b"M"], b"+" in data[:4]
    counts = struct.Struct(order + ("Q" if large else "H"))
    entry, inside = (20, 12) if large else (12, 8)
    sides = {}
    try:
        (at,) = struct.unpack_from(order + ("Q" if large else "I"), data, 8 if large else 4)
        (count,) = counts.unpack_from(data, at)
        for number in range(min(count, TIFF_MOST_TAGS)):
            start = at + counts.size + number * entry
            tag, kind = struct.unpack_from(order + "HH", data, start)
            if tag in TIFF_TAGS and kind in TIFF_TYPES:
                form = order + TIFF_TYPES[kind]
                (sides[tag],) = struct.unpack_from(form, data, start + inside)
    except struct.error:
        return None
    return (sides[257], sides[256]) if len(sides) == 2 else None


def _netpbm_size(data: bytes) -> tuple[int, int] | None:
    if found := PNM_HEADER.match(data):
        return int(found[2]), int(found[1])
    if found := PAM_HEADER.match(data):
        words = found[0].split()
        sides = dict(pairwise(words))
        height, width = (sides.get(name, b"") for name in (b"HEIGHT", b"WIDTH"))
        return (int(height), int(width)) if height.isdigit() and width.isdigit() else None
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
