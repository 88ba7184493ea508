"""TFRecord files without TensorFlow, so that workers start quickly and need little memory.

A record holds its length (8 bytes), the length's checksum (4), the payload, and its checksum (4).
"""

import functools
import os
import struct
from collections.abc import Iterator
from typing import IO

import numpy as np

HEADER, FOOTER = 12, 4
# The checksum of a stretch of this many bytes is computed sequentially, all stretches in parallel.
STRETCH = 128
POLYNOMIAL = 0x82F63B78


class CorruptRecordError(ValueError):
    """A record is damaged: its bytes are not those that were written."""


def pack(payload: bytes) -> bytes:
    """Returns the record that holds the payload."""
    length = struct.pack("<Q", len(payload))
    return b"".join([length, _checksum(length), payload, _checksum(payload)])


def read(file: IO[bytes], offset: int) -> bytes:
    """Returns the payload of the record at an offset; raises `CorruptRecordError` if damaged."""
    file.seek(offset)
    length = _length(file.read(HEADER), offset)
    if offset + HEADER + length + FOOTER > _size(file):
        raise CorruptRecordError(f"the record at byte {offset} is cut off")
    file.seek(offset + HEADER)
    payload = file.read(length)
    if file.read(FOOTER) != _checksum(payload):
        raise CorruptRecordError(f"the record at byte {offset} is damaged")
    return payload


def offsets(file: IO[bytes]) -> Iterator[int]:
    """Yields the offset of each record; only the headers are read.

    Raises:
        CorruptRecordError: A header is damaged; the records before it have been yielded.
    """
    size, offset = _size(file), 0
    while offset < size:
        file.seek(offset)
        end = offset + HEADER + _length(file.read(HEADER), offset) + FOOTER
        if end > size:
            raise CorruptRecordError(f"the record at byte {offset} is cut off")
        yield offset
        offset = end


def records(file: IO[bytes]) -> Iterator[bytes]:
    """Yields all payloads in order."""
    for offset in list(offsets(file)):
        yield read(file, offset)


def crc32c(data: bytes) -> int:
    """Returns the Castagnoli checksum.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    # Leading zeros do not change a checksum that starts at zero, and starting at all ones is the
    # same as inverting the first four bytes. All stretches can therefore start at zero.
    if len(data) < 64:
        return _sum_bytes(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
    count = 1 << max(0, -(-len(data) // STRETCH) - 1).bit_length()
    message = np.zeros(count * STRETCH, np.uint8)
    message[len(message) - len(data) :] = np.frombuffer(data, np.uint8)
    message[len(message) - len(data) :][:4] ^= 0xFF
    words = np.ascontiguousarray(message.view("<u2").reshape(count, -1).T)
    table, sums = _word_table(), np.zeros(count, np.uint32)
    for word in words:
        sums = table[(sums & 0xFFFF) ^ word] ^ (sums >> 16)
    level = 0
    while len(sums) > 1:
        sums = _after_zeros(sums[0::2], level) ^ sums[1::2]
        level += 1
    return int(sums[0]) ^ 0xFFFFFFFF


def _checksum(data: bytes) -> bytes:
    crc = crc32c(data)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)


def _length(header: bytes, offset: int) -> int:
    if len(header) != HEADER or header[8:] != _checksum(header[:8]):
        raise CorruptRecordError(f"the record at byte {offset} is damaged")
    return struct.unpack("<Q", header[:8])[0]


def _size(file: IO[bytes]) -> int:
    file.seek(0, os.SEEK_END)
    return file.tell()


def _sum_bytes(data: bytes, start: int) -> int:
    table = _byte_table()
    for byte in data:
        start = start >> 8 ^ table[(start ^ byte) & 0xFF]
    return start


@functools.cache
def _byte_table() -> list[int]:
    """Returns the effect of every byte on a checksum."""
    table = list(range(1 << 8))
    for _ in range(8):
        table = [value >> 1 ^ (POLYNOMIAL if value & 1 else 0) for value in table]
    return table


@functools.cache
def _word_table() -> np.ndarray:
    """Returns the effect of every pair of bytes on a checksum."""
    table = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        table = table >> 1 ^ np.where(table & 1, np.uint32(POLYNOMIAL), np.uint32(0))
    return table


def _after_zeros(sums: np.ndarray, level: int) -> np.ndarray:
    """Returns checksums after another STRETCH * 2 ** level zeros."""
    low, high = _zeros_tables(level)
    return low[sums & 0xFFFF] ^ high[sums >> 16]


@functools.cache
def _zeros_tables(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns `_after_zeros` of every lower and every upper half of a checksum."""
    low = np.arange(1 << 16, dtype=np.uint32)
    high = low << 16
    if level:
        return tuple(_after_zeros(_after_zeros(half, level - 1), level - 1) for half in (low, high))
    for _ in range(STRETCH // 2):
        low, high = (_word_table()[half & 0xFFFF] ^ half >> 16 for half in (low, high))
    return low, high
