"""Reads single pictures in order."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.claims import MOST_PIXELS, read_within
from tfvfi.media.damage import STOP, refusal
from tfvfi.media.files import is_folder
from tfvfi.media.look import Look
from tfvfi.media.pictures import in_order
from tfvfi.media.reports import picture_reports
from tfvfi.media.shown import Shown

logger = logging.getLogger(__name__)

# The frame rate of pictures, which do not state one.
PICTURE_RATE = Fraction(24)
# The place of the number in a pattern such as frame_%04d.png.
NUMBER = r"%0?\d*d"
# OpenCV stores colors in the order blue, green, red.
TURNED = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}


class Pictures:
    """Pictures in order, without a clock.

    Args:
        paths: The files; all must have the size and depth of the first.
        damaged: If a picture is damaged, "stop" with an error, or "keep" what can be decoded.
        max_pixels: The largest number of pixels; larger pictures are refused before they are
            decoded.

    Raises:
        InputError: The first picture cannot be read.
    """

    start = Fraction(0)
    has_clock = False
    rate = PICTURE_RATE
    time_base = 1 / PICTURE_RATE

    def __init__(self, paths: Sequence[Path], damaged: str = STOP, max_pixels: int = MOST_PIXELS):
        self.paths = list(paths)
        self.damaged = damaged
        self.max_pixels = max_pixels
        first = read_picture(self.paths[0], damaged, max_pixels)
        self.size = first.shape[:2]
        self.look = Look(
            depth=8 if first.dtype == np.uint8 else 16,
            alpha=first.shape[-1] == 4,
        )
        self.frames_expected = len(self.paths)
        self.seconds_expected = len(self.paths) / self.rate

    def __iter__(self) -> Iterator[Shown]:
        """Yields the pictures without transparency."""
        return self.frames()

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the pictures at an even rate.

        Args:
            alpha: Whether the frames have a fourth channel; it is opaque if a picture has none.

        Raises:
            InputError: A picture cannot be read, or has another size or depth than the first.
        """
        dtype, warned = np.uint8 if self.look.depth == 8 else np.uint16, False
        for number, path in enumerate(self.paths):
            image = read_picture(path, self.damaged, self.max_pixels)
            if image.shape[:2] != tuple(self.size):
                raise InputError(
                    f"pictures must have one size: {path} is {image.shape[1]}x{image.shape[0]}, "
                    f"{self.paths[0]} is {self.size[1]}x{self.size[0]}"
                )
            if image.dtype != dtype:
                raise InputError(
                    f"pictures must have one depth: {path} is {image.dtype}, "
                    f"{self.paths[0]} is {np.dtype(dtype)}"
                )
            if image.shape[-1] == 4 and not (self.look.alpha or warned):
                warned = True
                logger.warning(
                    "%s is transparent and %s is not: transparency is dropped", path, self.paths[0]
                )
            time, length = number / self.rate, 1 / self.rate
            yield Shown(_channels(image, 4 if alpha else 3), time, length)


def read_picture(path: Path, damaged: str = STOP, max_pixels: int = MOST_PIXELS) -> np.ndarray:
    """Reads a picture as H x W x 3, or 4 if it has transparency, uint8 or uint16.

    Args:
        path: The file.
        damaged: See `Pictures`.
        max_pixels: The largest number of pixels; a larger picture is refused before it is decoded.

    Raises:
        InputError: The picture cannot be read, or it is damaged and `damaged` is "stop".
    """
    data = read_within(path, max_pixels)
    with picture_reports() as reports:
        image = decode(data)
    if image is None:
        raise InputError(f"{path} cannot be read as a picture of 8 or 16 bits")
    if reports and damaged == STOP:
        raise refusal(path, reports[0])
    if reports:
        logger.warning("%s is damaged: %s", path, reports[0])
    return image


def decode(data: np.ndarray) -> np.ndarray | None:
    """Decodes the bytes of a file; returns None if they are not a picture."""
    # A JPEG is rotated according to its orientation; other formats are read with transparency.
    is_jpeg = bytes(data[:2]) == b"\xff\xd8"
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED)
    except cv2.error:
        # OpenCV has limits of its own, such as a side of 2^20 or 2^30 pixels.
        return None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        return None
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(image, TURNED[image.shape[-1]])


def is_pattern(path: Path) -> bool:
    """Returns whether a path is a pattern of numbered files, and not a file itself."""
    return re.search(NUMBER, path.name) is not None and not os.path.exists(path)


def in_pattern(pattern: Path) -> list[Path]:
    """Returns the files of a numbered pattern such as frame_%04d.png, in order."""
    form = r"\d+".join(re.escape(part) for part in re.split(NUMBER, pattern.name))
    if not is_folder(pattern.parent):
        raise InputError(f"{pattern.parent} is no folder")
    found = [path for path in pattern.parent.iterdir() if re.fullmatch(form, path.name)]
    return in_order(found)


def _channels(image: np.ndarray, count: int) -> np.ndarray:
    """Returns the picture with the number of channels; an added channel is opaque."""
    if image.shape[-1] > count:
        return np.ascontiguousarray(image[..., :count])
    if image.shape[-1] < count:
        opaque = np.full((*image.shape[:2], 1), np.iinfo(image.dtype).max, image.dtype)
        return np.concatenate([image, opaque], axis=-1)
    return image
