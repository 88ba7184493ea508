"""Reads video from another program: YUV4MPEG2 ("y4m") on standard input, as it arrives.

A stream begins with a line of words. Each frame is a line that begins with FRAME, followed by the
bytes of its planes, row by row, with two bytes for each value of more than eight bits.
"""

import logging
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.claims import MOST_PIXELS, check_pixels
from tfvfi.media.colors import Converter
from tfvfi.media.damage import STOP
from tfvfi.media.look import FULL, LIMITED, Look
from tfvfi.media.shown import Shown

logger = logging.getLogger(__name__)

# The name of standard input and output, as in most commands.
PIPE = Path("-")
MAGIC, LONGEST_LINE = "YUV4MPEG2", 1024
# Color formats: the sampling, then for eight bits the chroma location, otherwise the bit depth.
KINDS = re.compile(r"(420|422|444|mono)(?:jpeg|mpeg2|paldv)?(?:p?(9|10|12|14|16))?")
LEVELS = {"XCOLORRANGE=FULL": FULL, "XCOLORRANGE=LIMITED": LIMITED}
HOW = "such as `ffmpeg -i in.mp4 -f yuv4mpegpipe -strict -1 - | ...`"


class PipedVideo:
    """Frames from a pipe, which can be read only once.

    Args:
        file: The file to read; standard input by default.
        damaged: If the stream ends in the middle of a frame, "stop" with an error, or "keep" the
            frames before.
        max_pixels: The largest number of pixels in a frame; larger frames are refused.

    Attributes:
        kind: The header's name of the color format, such as "420mpeg2".

    Raises:
        InputError: Nothing is piped, or the header cannot be read.
    """

    has_clock = True
    frames_expected = None
    seconds_expected = Fraction(0)
    start = Fraction(0)

    def __init__(
        self, file: BinaryIO | None = None, damaged: str = STOP, max_pixels: int = MOST_PIXELS
    ):
        self.paths = [PIPE]
        self.damaged = damaged
        self.file = sys.stdin.buffer if file is None else file
        if self.file.isatty():
            raise InputError(f"nothing is piped to standard input; pipe y4m into it, {HOW}")
        words = self._line().split()
        if words[:1] != [MAGIC]:
            what = "holds no y4m" if words else "is empty"
            raise InputError(f"standard input {what}; pipe y4m into it, {HOW}")
        told = {word[0]: word[1:] for word in words[1:]}
        self.kind = told.get("C", "420jpeg")
        found = KINDS.fullmatch(self.kind)
        try:
            self.size = int(told["H"]), int(told["W"])
            self.rate = Fraction(*map(int, told["F"].split(":")))
            width, height = map(int, told.get("A", "0:0").split(":"))
        except (KeyError, ValueError, TypeError, ZeroDivisionError):
            raise InputError(_bad_header(words)) from None
        if found is None or self.rate <= 0 or min(self.size) < 1:
            raise InputError(_bad_header(words))
        check_pixels(PIPE, self.size, max_pixels)
        self.time_base = 1 / self.rate
        sampling, self.bits = found[1], int(found[2] or 8)
        name = "gray" if sampling == "mono" else f"yuv{sampling}p"
        self.format = av.VideoFormat(
            name + ("" if self.bits == 8 else f"{self.bits}le"), *self.size[::-1]
        )
        self.look = Look(
            color_range=next((LEVELS[word] for word in words if word in LEVELS), 0),
            pixel_aspect=Fraction(width, height) if width > 0 and height > 0 else None,
            depth=self.bits,
            subsampling=None if sampling == "mono" else sampling,
        )
        if told.get("I", "p") not in ("p", "?"):
            logger.warning("standard input is interlaced: deinterlace it first")
        self.taken = False

    def __iter__(self) -> Iterator[Shown]:
        """Yields the frames without transparency."""
        return self.frames()

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the frames at an even rate, only once.

        Args:
            alpha: Whether the frames have a fourth channel, which is opaque.

        Raises:
            InputError: The stream is empty or damaged, or was read already.
        """
        if self.taken:
            raise InputError("standard input was read already; a pipe is read once")
        self.taken, converter, number = True, Converter(), 0
        while line := self._line():
            frame = self._frame() if line.split()[:1] == ["FRAME"] else None
            if frame is None:
                said = f"standard input is damaged in frame {number}"
                if self.damaged == STOP:
                    raise InputError(f"{said}; `damaged='keep'` goes on with what came before")
                logger.warning("%s and ends there", said)
                return
            image = converter.array(frame, self.bits > 8, alpha)
            yield Shown(image, number / self.rate, 1 / self.rate)
            number += 1
        if not number:
            raise InputError("standard input holds no frame")

    def _line(self) -> str:
        return self.file.readline(LONGEST_LINE).decode("latin-1")

    def _frame(self) -> av.VideoFrame | None:
        """Returns the next frame; None if the stream ends in the middle of it."""
        frame = av.VideoFrame(*self.size[::-1], self.format.name)
        frame.color_range = self.look.color_range
        for plane in frame.planes:
            row = plane.width * (1 if self.bits == 8 else 2)
            data = self.file.read(row * plane.height)
            if len(data) < row * plane.height:
                return None
            rows = np.zeros((plane.height, plane.line_size), np.uint8)
            rows[:, :row] = np.frombuffer(data, np.uint8).reshape(plane.height, row)
            if rows.size < plane.buffer_size:
                rows = np.pad(rows.ravel(), (0, plane.buffer_size - rows.size))
            plane.update(np.ascontiguousarray(rows).tobytes())
        return frame


def _bad_header(words: list[str]) -> str:
    return (
        f"the y4m header of standard input cannot be read; it states W, H, F and a known C. "
        f"Received: {' '.join(words)[:100]}"
    )
