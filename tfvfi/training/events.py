"""Writes event files for TensorBoard, without TensorBoard and on any backend.

A file is a TFRecord of `Event` messages, of which only a few fields are needed here.
"""

import struct
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfvfi.data import tfrecord
from tfvfi.data.codecs import encode_image

# Field numbers in TensorBoard's event.proto and summary.proto.
WALL_TIME, STEP, FILE_VERSION, SUMMARY, SESSION_LOG = 1, 2, 3, 5, 7
VALUE, TAG, SIMPLE_VALUE, IMAGE = 1, 1, 2, 4
HEIGHT, WIDTH, COLOR_SPACE, ENCODED = 1, 2, 3, 4
RGB = 3
STATUS, START = 1, 1


class Events:
    """Writes one event file.

    Args:
        folder: The folder of the file.
        start: The step after which the run continues. TensorBoard discards what earlier files
            recorded for later steps.
    """

    def __init__(self, folder: Path, start: int):
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"events.out.tfevents.{time.time_ns()}.tfvfi"
        self._write(_message(FILE_VERSION, b"brain.Event:2"))
        if start:
            self._write(_number(STEP, start + 1) + _message(SESSION_LOG, _number(STATUS, START)))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds scalar values by name."""
        self._summary(step, {name: _float(SIMPLE_VALUE, value) for name, value in values.items()})

    def images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Adds pictures by name, height x width x 3 in uint8."""
        self._summary(step, {name: _image(image) for name, image in images.items()})

    def _summary(self, step: int, contents: Mapping[str, bytes]) -> None:
        values = [
            _message(VALUE, _message(TAG, name.encode()) + content)
            for name, content in contents.items()
        ]
        self._write(_number(STEP, step) + _message(SUMMARY, b"".join(values)))

    def _write(self, event: bytes) -> None:
        with open(self._path, "ab") as file:
            file.write(tfrecord.pack(_double(WALL_TIME, time.time()) + event))


def _image(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    sizes = ((HEIGHT, height), (WIDTH, width), (COLOR_SPACE, RGB))
    fields = [_number(*size) for size in sizes]
    return _message(IMAGE, b"".join(fields) + _message(ENCODED, encode_image(image, "png")))


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _varint(value: int) -> bytes:
    """Encodes a number in bytes of seven bits; all but the last have the highest bit set."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])
