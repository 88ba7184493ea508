"""Frames of the segment that is not finished, so that an early interruption keeps them too.

A segment that ended by the clock would end elsewhere in every run, and then no two runs would give
the same video. So the frames themselves are kept: a later run encodes them again, which is quick,
and the segment comes out as if nothing had happened. Only slow work needs it.
"""

import os
import time
import zlib
from pathlib import Path

import numpy as np

from tfvfi.media.sequence import decode
from tfvfi.video.writing import stills

# A segment that takes longer is worth it; the speed is known after so many frames.
SECONDS, MEASURED = 30.0, 8


class Spool:
    """Frames in a folder, by their number in the video.

    Args:
        folder: Where they are kept; None: they are not.
        segment: How many frames a segment has.
    """

    def __init__(self, folder: Path | None, segment: int):
        self.folder = folder
        self.segment = segment
        self.active = folder is not None
        self._began, self._count = time.monotonic(), 0
        self._files: dict[int, Path] = {}

    def recover(self, first: int) -> int:
        """Finds the frames that earlier work left; returns how many follow each other, undamaged.

        Args:
            first: The number of the first one that is of use.
        """
        if self.folder is None or not self.folder.is_dir():
            return 0
        for file in self.folder.glob("*.png"):
            number, _, checksum = file.stem.partition("-")
            if number.isdigit() and checksum == _checksum(file.read_bytes()):
                self._files[int(number)] = file
        count = 0
        while first + count in self._files:
            count += 1
        return count

    def read(self, number: int) -> np.ndarray:
        """A frame that `recover` counted."""
        return decode(np.fromfile(self._files[number], np.uint8))

    def add(self, number: int, image: np.ndarray) -> None:
        """Keeps a frame, unless the work is quick enough to be done again."""
        if self.folder is None:
            return
        self._count += 1
        if self._count == MEASURED and not self._is_slow():
            self.active = False
        if self.active:
            self.folder.mkdir(exist_ok=True)
            data = stills.encode(image, "png").tobytes()
            file = self.folder / f"{number:08d}-{_checksum(data)}.png"
            aside = file.with_suffix(".aside")
            aside.write_bytes(data)
            os.replace(aside, file)
            self._files[number] = file

    def end_segment(self, before: int) -> None:
        """Drops the frames that are in a finished segment by now.

        Args:
            before: The number of the first frame that is not.
        """
        for number in [number for number in self._files if number < before]:
            self._files.pop(number).unlink(missing_ok=True)
        self.active = self.folder is not None and (self._count < MEASURED or self._is_slow())
        self._began, self._count = time.monotonic(), 0

    def _is_slow(self) -> bool:
        """Whether a segment takes long at the speed of this one."""
        taken = time.monotonic() - self._began
        return taken / max(1, self._count) * self.segment > SECONDS


def _checksum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"
