"""Reads the two encodings of TensorFlow checkpoints within bounds.

Protocol buffers consist of numbered fields. Tables are those of LevelDB, which consist of blocks of
sorted keys with values.
"""

from collections.abc import Iterator

from tfvfi.checkpoints.bounds import UnreadableError

MAX_KEYS, MAX_KEY_BYTES = 50_000, 1024
FOOTER = 48
MAGIC = bytes.fromhex("57fb808b247547db")
# The bytes after every block: the kind of compression and a checksum.
TRAILER = 5


def damaged() -> UnreadableError:
    """Returns the error for any fault in these encodings."""
    return UnreadableError("is damaged: its index cannot be read; get it anew")


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Returns a number of up to 64 bits, stored as seven bits per byte, and its end."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise damaged()
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise damaged()


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields the number of each field of a protocol buffer, and its integer or bytes.

    Example:
        >>> [(number, bytes(value)) for number, value in fields(memoryview(b"\\x12\\x02ab"))]
        [(2, b'ab')]
    """
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        match tag & 7:
            case 0:
                value, at = varint(data, at)
                yield tag >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = varint(data, at)
            case 5:
                size = 4
            case _:
                raise damaged()
        if size > len(data) - at:
            raise damaged()
        yield tag >> 3, data[at : at + size]
        at += size


def table(data: memoryview) -> dict[bytes, memoryview]:
    """Returns the values of a table by their keys."""
    if len(data) < FOOTER or bytes(data[-len(MAGIC) :]) != MAGIC:
        raise damaged()
    footer = data[-FOOTER:]
    # The first two numbers locate a block of statistics, the next two the index.
    _, at = _span(footer, 0)
    place, _ = _span(footer, at)
    found: dict[bytes, memoryview] = {}
    for _, where in _entries(_block(data, place)):
        for key, value in _entries(_block(data, _span(where, 0)[0])):
            found[key] = value
            if len(found) > MAX_KEYS:
                raise UnreadableError("holds far more variables than weights need; refused")
    return found


def _span(data: memoryview, at: int) -> tuple[tuple[int, int], int]:
    first, at = varint(data, at)
    size, at = varint(data, at)
    return (first, size), at


def _block(data: memoryview, place: tuple[int, int]) -> memoryview:
    first, size = place
    if first + size + TRAILER > len(data):
        raise damaged()
    if data[first + size]:
        raise UnreadableError("has a compressed index, which TensorFlow does not write; refused")
    return data[first : first + size]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yields the keys and values of a block, where each key shares a prefix with the previous."""
    if len(block) < 4:
        raise damaged()
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise damaged()
    key, at = b"", 0
    while at < end:
        shared, at = varint(block, at)
        others, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or shared + others > MAX_KEY_BYTES or at + others + size > end:
            raise damaged()
        key = key[:shared] + bytes(block[at : at + others])
        at += others
        yield key, block[at : at + size]
        at += size
