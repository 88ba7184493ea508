"""Whether a file has all the bytes that it claims: one that was cut off decodes without a word.

Only the parts that hold the video or its index count. Tools append all sorts of bytes to complete
files, and players ignore them; here they are not taken for a part of enormous length.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

# What stands after the length in the first box of an MP4 or MOV, ...
FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# ... in all boxes that lie between those that matter, ...
OTHER_BOXES = (*FIRST_BOXES, b"uuid", b"styp", b"sidx", b"ssix", b"emsg", b"prft", b"mfra", b"meta")
# ... and in those that do.
BOXES = (b"moov", b"moof", b"mdat")
# The elements of a Matroska file at its top level: header, segment, checksum and filling.
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
ELEMENTS = (EBML, SEGMENT, b"\xbf", b"\xec")
# A file of more parts is not read to its end.
MOST_PARTS = 500_000


def missing_bytes(path: Path) -> int:
    """How many bytes a file lacks at its end; 0 for formats that do not declare their length.

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
    """Where each box of an MP4 ends; one that extends to the end of the file is always whole."""
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
    """Where each part of an AVI ends that holds frames or their index.

    A RIFF itself may claim more than its parts need: a padding that was never written.
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
    """Where each element of a Matroska file ends; live recordings have one of unknown length."""
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
    """Leading zeros, which determine how many more bytes a number has."""
    return 8 - byte.bit_length()
