"""Keeps the frames of the unfinished segment, so that an interruption loses little work.

If segments ended after a certain time, they would end at a different frame in every run, and no two
runs would give the same video. The frames themselves are kept instead, in the encoder's format,
because source frames would change on the way to RGB and back. A later run encodes them again, which
is quick, and the segment is the same as without the interruption. Only slow work needs this.
"""

import os
import time
import zlib
from pathlib import Path

import av

from tfvfi.errors import InputError
from tfvfi.media.colors import fresh_copy

# Frames are kept if a segment takes longer than SECONDS, estimated after MEASURED frames.
SECONDS, MEASURED = 30.0, 8
ENDING = ".planes"
# The lowest level of zlib, which takes a fraction of the time in which the encoder takes a frame.
COMPRESSION = 1


class Spool:
    """A folder of frames, by their number in the video.

    Args:
        folder: The folder; None if frames are not kept.
        segment: The number of frames in a segment.
        size: The height and width of the frames.
        pixel_format: The format of the frames.
    """

    def __init__(self, folder: Path | None, segment: int, size: tuple[int, int], pixel_format: str):
        self.folder = folder
        self.segment = segment
        self.size = size
        self.pixel_format = pixel_format
        self.active = folder is not None
        self._began, self._count = time.monotonic(), 0
        self._files: dict[int, Path] = {}

    def recover(self, first: int) -> int:
        """Finds the undamaged frames of an earlier run, and returns how many are consecutive.

        Args:
            first: The number of the first frame that is needed.
        """
        if self.folder is None or not self.folder.is_dir():
            return 0
        for file in self.folder.glob(f"*{ENDING}"):
            number, _, checksum = file.stem.partition("-")
            if number.isdigit() and checksum == _checksum(file.read_bytes()):
                self._files[int(number)] = file
        count = 0
        while first + count in self._files:
            count += 1
        return count

    def read(self, number: int) -> av.VideoFrame:
        """Reads a frame that `recover` counted."""
        height, width = self.size
        frame = av.VideoFrame(width, height, self.pixel_format)
        # No more than a frame holds: the size that a file claims is not trusted.
        held = sum(plane.buffer_size for plane in frame.planes)
        file = self._files[number]
        try:
            found = zlib.decompressobj().decompress(file.read_bytes(), held)
        except zlib.error:
            found = b""
        if len(found) != held:
            raise InputError(
                f"{file} holds no frame of {width} x {height} in {self.pixel_format}; it was not "
                f"written by this work; remove the folder {file.parents[1]} and start again"
            )
        data = memoryview(found)
        for plane in frame.planes:
            plane.update(data[: plane.buffer_size])
            data = data[plane.buffer_size :]
        return frame

    def add(self, number: int, frame: av.VideoFrame) -> None:
        """Keeps a frame, unless the work is quick enough to be repeated."""
        if self.folder is None:
            return
        self._count += 1
        if self._count == MEASURED and not self._is_slow():
            self.active = False
        if self.active:
            self.folder.mkdir(exist_ok=True)
            # The rows of a copy are as long as those of the frame that `read` makes.
            planes = fresh_copy(frame, self.pixel_format).planes
            data = zlib.compress(b"".join(map(bytes, planes)), COMPRESSION)
            file = self.folder / f"{number:08d}-{_checksum(data)}{ENDING}"
            aside = file.with_suffix(".aside")
            aside.write_bytes(data)
            os.replace(aside, file)
            self._files[number] = file

    def end_segment(self, before: int) -> None:
        """Removes the frames of finished segments.

        Args:
            before: The number of the first frame after these segments.
        """
        for number in [number for number in self._files if number < before]:
            self._files.pop(number).unlink(missing_ok=True)
        self.active = self.folder is not None and (self._count < MEASURED or self._is_slow())
        self._began, self._count = time.monotonic(), 0

    def _is_slow(self) -> bool:
        """Returns whether a whole segment would take long at the current speed."""
        taken = time.monotonic() - self._began
        return taken / max(1, self._count) * self.segment > SECONDS


def _checksum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"
