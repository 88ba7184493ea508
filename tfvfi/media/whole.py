"""Detects truncated files, which may decode without an error.

Only the parts that hold the video or its index count. Tools append arbitrary bytes to complete
files, which players ignore; they must not be mistaken for a part of enormous length.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

# The names of the first box of an MP4 or MOV, ...
FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# ... of boxes that may lie between those that count, ...
OTHER_BOXES = (*FIRST_BOXES, b"uuid", b"styp", b"sidx", b"ssix", b"emsg", b"prft", b"mfra", b"meta")
# ... and of the boxes that count.
BOXES = (b"moov", b"moof", b"mdat")
# The top-level elements of a Matroska file: header, segment, checksum and padding.
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
ELEMENTS = (EBML, SEGMENT, b"\xbf", b"\xec")
# The most parts that are read.
MOST_PARTS = 500_000


def missing_bytes(path: Path) -> int:
    """Returns the number of missing bytes at the end of a file.

    The result is 0 for formats that do not declare their length.

    Args:
        path: An MP4, MOV, Matroska, WebM or AVI file, or any other.
    """
    there = path.stat().st_size
    end = 0
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] == EBML:
            ends = _elements(file)
        elif start[:4] == b"RIFF":
            ends = _chunks(file, there)
        elif start[4:8] in FIRST_BOXES:
            ends = _boxes(file, there)
        else:
            return 0
        file.seek(0)
        for end in islice(ends, MOST_PARTS):
            if end >= there:
                break
            file.seek(end)
    return max(0, end - there)


def _boxes(file: BinaryIO, there: int) -> Iterator[int]:
    """Yields the end of each box of an MP4; a box that extends to the end of the file is whole."""
    while len(head := file.read(8)) == 8:
        at = file.tell() - 8
        length, name = struct.unpack(">I4s", head)
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
        counts = name in BOXES or (name in OTHER_BOXES and at + length <= there)
        if length < 8 or not counts:
            return
        yield at + length


def _chunks(file: BinaryIO, there: int) -> Iterator[int]:
    """Yields the end of each part of an AVI that holds frames or their index.

    The RIFF itself may claim more than its parts need, for padding that was never written.
    """
    whole, frames = 0, False
    while len(head := file.read(12)) == 12:
        name, length, form = struct.unpack("<4sI4s", head)
        at = file.tell() - 12
        end = at + 8 + length + length % 2
        if name == b"RIFF" and form.startswith(b"AVI"):
            whole = end
            yield at + 12
            continue
        holds = name == b"idx1" or (name == b"LIST" and form == b"movi")
        if end > there and frames and not holds:
            return
        frames = frames or holds
        yield max(end, whole) if end > there else end


def _elements(file: BinaryIO) -> Iterator[int]:
    """Yields the end of each element of a Matroska file, up to one of unknown length."""
    while first := file.read(1):
        name = first + file.read(_zeros(first[0]))
        size = file.read(1)
        if name not in ELEMENTS or not size or not size[0]:
            return
        zeros = _zeros(size[0])
        data = bytes([size[0] & (0x7F >> zeros)]) + file.read(zeros)
        length = int.from_bytes(data, "big")
        if length == 2 ** (7 * (zeros + 1)) - 1:
            return
        yield file.tell() + length


def _zeros(byte: int) -> int:
    """Returns the number of leading zeros, which is the number of further bytes of a number."""
    return 8 - byte.bit_length()
