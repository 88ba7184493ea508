"""Collects the reports of decoders about damage that they conceal.

FFmpeg logs such damage, libjpeg and libtiff write it to standard error, and all of them then
continue as if nothing had happened.
"""

import contextlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator

# FFmpeg's messages about damaged data; it also logs many other messages about intact files.
OF_FFMPEG = re.compile(
    r"crc mismatch|damaged|error while decoding|error at mb|overread|lzw decode failed"
    r"|ebml number|exceeds containing master|packet mismatch|invalid mb type|illegal .*(dc|vlc)"
    r"|(run|level) overflow|bitstream ended",
    re.IGNORECASE,
)
# The same for the libraries behind OpenCV. A tag that they do not know is not damage.
OF_PICTURES = re.compile(
    r"corrupt jpeg|premature end|bogus|invalid sos|unsupported marker|libpng error|crc error"
    r"|tiff_error|read error|not enough data",
    re.IGNORECASE,
)
# Every line that OpenCV, libjpeg, libpng and libtiff write begins with one of these.
PICTURE_LINES = re.compile(
    r"\[ ?(WARN|ERROR|INFO)[: ]|> |OpenCV|libpng|imread_|Corrupt JPEG|Premature end|Invalid|Bogus"
    r"|Unsupported|Inconsistent|Warning|TIFF|JPEG|LZW|ZIP|Fax|Unknown|Application transferred",
)


# The position in OpenCV's sources with which it begins a line.
PLACE_IN_OPENCV = re.compile(r"^\[.*?\] global \S+ (TIFF_Error )?")


class Reports(logging.Handler):
    """Collects FFmpeg's reports of damage in one file; a context manager.

    Args:
        names: FFmpeg's names of the reader and the decoders whose reports are collected.
    """

    def __init__(self, *names: str):
        super().__init__(logging.ERROR)
        self.names = {f"libav.{name}" for name in names}
        self.found: list[str] = []

    def __enter__(self) -> "Reports":
        # Imported here, because reading pictures needs no PyAV.
        from av import logging as av_logging

        logger = logging.getLogger("libav")
        if av_logging.get_level() is None:
            # Nothing else in this process uses FFmpeg's log, so it is enabled only for us.
            av_logging.set_level(av_logging.ERROR)
            logger.propagate = False
            logger.addHandler(logging.NullHandler())
        av_logging.set_skip_repeated(False)
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("libav").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a report of damage, from any thread."""
        message = record.getMessage().strip()
        if record.name in self.names and OF_FFMPEG.search(message):
            self.found.append(message)

    def taken(self) -> list[str]:
        """Returns the reports since the last call."""
        found, self.found = self.found, []
        return found


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def picture_reports() -> Iterator[list[str]]:
    """Collects what picture libraries write to standard error within the context.

    The list is filled when the context ends. Other output to standard error is written then too.
    """
    found: list[str] = []
    with _one_at_a_time, contextlib.ExitStack() as undo:
        try:
            before = os.dup(2)
        except OSError:
            # The process has no standard error.
            yield found
            return
        undo.callback(os.close, before)
        file = undo.enter_context(tempfile.TemporaryFile())
        os.dup2(file.fileno(), 2)
        try:
            yield found
        finally:
            os.dup2(before, 2)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                words = line.decode("utf-8", "replace").strip()
                if OF_PICTURES.search(words):
                    found.append(PLACE_IN_OPENCV.sub("", words))
                elif words and not PICTURE_LINES.match(words):
                    os.write(2, line)
