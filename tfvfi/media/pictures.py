"""Pictures: their sizes, read from the first bytes; their pixels, decoded within bounds."""

import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from tfvfi.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm")


class BadPictureError(ValueError):
    """Bytes that are no picture, or not the one that was expected."""


def decode(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    """The pixels of an encoded picture, height x width x 3, RGB, uint8 or uint16.

    Args:
        data: PNG, JPEG, WebP, or what else OpenCV reads.
        size: Height and width that it must have; then nothing is allocated for one that claims
            others. PNG, JPEG and WebP only.

    Raises:
        BadPictureError: It cannot be decoded or has another size.

    Example:
        >>> import cv2, numpy as np
        >>> png = cv2.imencode(".png", np.full((4, 6, 3), 7, "uint8"))[1].tobytes()
        >>> decode(png, (4, 6)).shape
        (4, 6, 3)
    """
    if size is not None and claimed_size(data) != tuple(size):
        raise BadPictureError(f"it claims to be {_by(claimed_size(data))}, not {_by(size)}")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise BadPictureError(f"it cannot be decoded: {error.err}") from None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise BadPictureError("it cannot be decoded as a picture of 8 or 16 bits")
    if size is not None and image.shape[:2] != tuple(size):
        raise BadPictureError(f"it is {_by(image.shape[:2])}, not {_by(size)}")
    return image


def decode_as_tensorflow(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """As `decode`, by TensorFlow: its quick arithmetic gives JPEG other colors, by a level or two.

    Raises:
        BadPictureError: It cannot be decoded or has another size.
    """
    import tensorflow as tf

    if claimed_size(data) != tuple(size):
        raise BadPictureError(f"it claims to be {_by(claimed_size(data))}, not {_by(size)}")
    try:
        return tf.io.decode_jpeg(data, channels=3).numpy()
    except tf.errors.OpError:
        raise BadPictureError("it cannot be decoded as a JPEG picture") from None


def read(path: Path) -> np.ndarray:
    """A picture file, as `decode` gives it; `InputError` if there is none."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except BadPictureError as error:
        raise InputError(f"{path} is no picture that can be read: {error}") from None


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """Height and width as the first bytes of a PNG, JPEG or WebP say; None for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        return _big(data[20:24]), _big(data[16:20])
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    return None


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Sorted by name, with numbers as numbers: 2 before 10."""
    return sorted(paths, key=lambda path: _numbers_as_numbers(path.name))


def in_folder(folder: Path) -> list[Path]:
    """The pictures in a folder, in order."""
    return in_order(path for path in folder.iterdir() if is_picture(path))


def is_picture(path: str | Path) -> bool:
    """Whether a file is a picture by its name."""
    return Path(path).suffix.lower() in SUFFIXES and not is_shadow(path)


def is_shadow(path: str | Path) -> bool:
    """Whether a file is what macOS puts beside another, under the name of that one."""
    return Path(path).name.startswith("._")


def _numbers_as_numbers(name: str) -> list:
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdecimal() else part for part in parts]


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Hops from marker to marker until the frame header."""
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


def _webp_size(data: bytes) -> tuple[int, int] | None:
    form = data[12:16]
    if form == b"VP8X":
        return 1 + _little(data[27:30]), 1 + _little(data[24:27])
    if form == b"VP8L":
        bits = _little(data[21:25])
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if form == b"VP8 ":
        return _little(data[28:30]) & 0x3FFF, _little(data[26:28]) & 0x3FFF
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _by(size: tuple[int, int] | None) -> str:
    return f"{size[1]}x{size[0]}" if size else "no PNG, JPEG or WebP"
