"""Whether a file has all the bytes that it claims: one that was cut off decodes without a word."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

EBML = b"\x1a\x45\xdf\xa3"
# What stands after the length in the first box of an MP4 or MOV.
FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def missing_bytes(path: Path) -> int:
    """How many bytes a file lacks at its end; 0 for formats that do not tell.

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
            ends = _chunks(file)
        elif start[4:8] in FIRST_BOXES:
            ends = _boxes(file)
        else:
            return 0
        file.seek(0)
        for end in ends:
            if end >= there:
                break
            file.seek(end)
    return max(0, end - there)


def _boxes(file: BinaryIO) -> Iterator[int]:
    """Where each box of an MP4 ends; one that goes on to the end of the file tells nothing."""
    while len(head := file.read(8)) == 8:
        at = file.tell() - 8
        (length,) = struct.unpack(">I", head[:4])
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
        if length < 8:
            return
        yield at + length


def _chunks(file: BinaryIO) -> Iterator[int]:
    """Where each chunk of an AVI ends."""
    while len(head := file.read(8)) == 8:
        (length,) = struct.unpack("<I", head[4:])
        yield file.tell() + length + length % 2


def _elements(file: BinaryIO) -> Iterator[int]:
    """Where each element of a Matroska file ends; live recordings have one of unknown length."""
    while first := file.read(1):
        file.seek(_zeros(first[0]), 1)
        size = file.read(1)
        if not size or not size[0]:
            return
        zeros = _zeros(size[0])
        data = bytes([size[0] & (0x7F >> zeros)]) + file.read(zeros)
        length = int.from_bytes(data, "big")
        if length == 2 ** (7 * (zeros + 1)) - 1:
            return
        yield file.tell() + length


def _zeros(byte: int) -> int:
    """Leading zeros, which tell how many more bytes a number has."""
    return 8 - byte.bit_length()
