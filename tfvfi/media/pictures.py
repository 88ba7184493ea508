"""Finds and sorts the pictures of a folder, and decodes them within bounds."""

import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.claims import MOST_PIXELS, claimed_size, read_within
from tfvfi.media.reports import picture_reports

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm")


class BadPictureError(ValueError):
    """Bytes are not a picture, or not the expected one."""


def decode(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    """Decodes a picture to height x width x 3, RGB, uint8 or uint16.

    Args:
        data: PNG, JPEG, WebP, or another format that OpenCV reads.
        size: The height and width that the picture must have; nothing is allocated for a picture
            that claims another size.

    Raises:
        BadPictureError: The picture cannot be decoded or has another size.

    Example:
        >>> import cv2, numpy as np
        >>> png = cv2.imencode(".png", np.full((4, 6, 3), 7, "uint8"))[1].tobytes()
        >>> decode(png, (4, 6)).shape
        (4, 6, 3)
    """
    if size is not None and claimed_size(data) != tuple(size):
        raise BadPictureError(f"it claims to be {_by(claimed_size(data))}, not {_by(size)}")
    claimed = claimed_size(data)
    if claimed is not None and claimed[0] * claimed[1] > MOST_PIXELS:
        raise BadPictureError(f"it claims to be {_by(claimed)}, which is too large")
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
    """Decodes a JPEG with TensorFlow, whose fast arithmetic changes colors by a level or two.

    Args:
        data: A JPEG file.
        size: The height and width that the picture must have.

    Raises:
        BadPictureError: The picture cannot be decoded or has another size.
    """
    import tensorflow as tf

    if claimed_size(data) != tuple(size):
        raise BadPictureError(f"it claims to be {_by(claimed_size(data))}, not {_by(size)}")
    try:
        return tf.io.decode_jpeg(data, channels=3).numpy()
    except tf.errors.OpError:
        raise BadPictureError("it cannot be decoded as a JPEG picture") from None


def read(path: Path) -> np.ndarray:
    """Reads a picture file, see `decode`; raises `InputError` if it is missing or damaged."""
    data = read_within(path).tobytes()
    try:
        with picture_reports() as reports:
            image = decode(data)
    except BadPictureError as error:
        raise InputError(f"{path} is no picture that can be read: {error}") from None
    if reports:
        raise InputError(f"{path} is damaged: {reports[0]}")
    return image


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Returns paths sorted by name, with numbers in numeric order: 2 before 10."""
    return sorted(paths, key=lambda path: _numbers_as_numbers(path.name))


def in_folder(folder: Path) -> list[Path]:
    """Returns the pictures in a folder, in order."""
    return in_order(path for path in folder.iterdir() if is_picture(path))


def is_picture(path: str | Path) -> bool:
    """Returns whether a file is a picture, judging by its name."""
    return Path(path).suffix.lower() in SUFFIXES and not is_shadow(path)


def is_shadow(path: str | Path) -> bool:
    """Returns whether a file holds metadata that macOS stores beside the real file."""
    return Path(path).name.startswith("._")


def _numbers_as_numbers(name: str) -> list:
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdecimal() else part for part in parts]


def _by(size: tuple[int, int] | None) -> str:
    return f"{size[1]}x{size[0]}" if size else "no picture of a known kind"
