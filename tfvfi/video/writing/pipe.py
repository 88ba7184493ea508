"""Writes video for another program: YUV4MPEG2 ("y4m") on standard output."""

import logging
import os
import sys
from fractions import Fraction
from typing import BinaryIO

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.colors import Converter
from tfvfi.media.look import FULL, Look

logger = logging.getLogger(__name__)

# The bit depths of y4m, and the header's name of 4:2:0 in most video files.
DEPTHS = (8, 9, 10, 12, 14, 16)
DEFAULT_420 = "420mpeg2"


class PipedOutput:
    """Writes frames as y4m; other output to standard output is redirected to standard error.

    Args:
        size: The height and width.
        rate: The number of frames per second; the format does not store times.
        look: The look of the source.
        kind: The color format in the header of a piped source, which states the chroma location;
            None for that of most video files.
        file: The file to write; standard output by default.

    Raises:
        InputError: Standard output is a terminal.
    """

    done = 0
    keeps_alpha = False

    def __init__(
        self,
        size: tuple[int, int],
        rate: Fraction,
        look: Look,
        kind: str | None = None,
        file: BinaryIO | None = None,
    ):
        if file is None and sys.stdout.isatty():
            raise InputError("frames would fill the terminal; pipe standard output into a program")
        self.rate = rate
        self.look = look.written(rgb=False, full=True)
        sampling = look.subsampling or "444"
        depth = next((bits for bits in DEPTHS if bits >= look.depth), DEPTHS[-1])
        self.pixel_format = f"yuv{sampling}p" + ("" if depth == 8 else f"{depth}le")
        self.converter = Converter()
        self.count, self.warned = 0, False
        self.start: Fraction | None = None
        self._standard: int | None = None
        if file is None:
            self._standard = os.dup(1)
            os.dup2(2, 1)
            # Text that was printed before and is still buffered must not enter the video either.
            sys.stdout.flush()
            file = os.fdopen(os.dup(self._standard), "wb")
        self.file = file
        word = sampling if depth == 8 else f"{sampling}p{depth}"
        if word == "420":
            word = DEFAULT_420 if kind is None else kind
        aspect = look.pixel_aspect or Fraction(0)
        pixel = f"{aspect.numerator}:{aspect.denominator if aspect else 0}"
        levels = "FULL" if self.look.color_range == FULL else "LIMITED"
        header = [f"YUV4MPEG2 W{size[1]} H{size[0]} F{rate.numerator}:{rate.denominator} Ip"]
        header += [f"A{pixel} C{word}", f"XCOLORRANGE={levels}"]
        self.file.write(" ".join(header).encode() + b"\n")

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Writes a frame and flushes it, so that readers get it without delay."""
        self.start = time if self.start is None else self.start
        if not self.warned and abs(time - self.start - self.count / self.rate) > 1 / self.rate:
            self.warned = True
            logger.warning("y4m has one rate and these times are uneven: pass `fps`")
        self.count += 1
        frame = self.converter.frame(image, self.pixel_format, self.look)
        self.file.write(b"FRAME\n")
        for plane in frame.planes:
            self.file.write(_packed(plane, frame.format))
        self.file.flush()

    def finish(self) -> None:
        """Ends the stream."""
        self.file.flush()
        self._restore()

    def discard(self) -> None:
        """Ends the stream early; its reader receives the end of the stream."""
        self._restore()

    def _restore(self) -> None:
        """Restores standard output."""
        if self._standard is not None:
            os.dup2(self._standard, 1)
            os.close(self._standard)
            self._standard = None


def _packed(plane: av.video.plane.VideoPlane, form: av.VideoFormat) -> bytes:
    """Returns the bytes of a plane without the padding of its rows."""
    row = plane.width * (2 if form.components[0].bits > 8 else 1)
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, :row]
    return rows.tobytes()
