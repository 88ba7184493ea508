"""Finds neighbouring frames anywhere in a source without decoding everything before them."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.colors import Converter
from tfvfi.media.container import open_container
from tfvfi.media.contract import FrameSource
from tfvfi.media.damage import KEEP
from tfvfi.media.duplicates import DuplicateDetector
from tfvfi.media.levels import white
from tfvfi.media.sequence import Pictures
from tfvfi.media.shown import Shown
from tfvfi.media.source import Video, open_source

# Fast, and lossless because previews are judged by their pixels.
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


class Glimpse:
    """Random access to the frames of a source.

    Args:
        inputs: What `open_source` takes.
    """

    def __init__(self, inputs: Sequence[str]):
        self._source = open_source(inputs, KEEP)
        self._turns = round(self._source.look.rotation / 90) % 4

    def neighbours(self, seconds: float, count: int = 2, skip_repeats: bool = False) -> list[Shown]:
        """Consecutive frames from a time on; at the end of the source, the last ones.

        Args:
            seconds: Counted from the first frame.
            count: How many frames.
            skip_repeats: Leave out frames that repeat the one before.

        Raises:
            InputError: The source has fewer frames.
        """
        wanted = self._source.start + Fraction(max(0.0, seconds)).limit_denominator(10**6)
        found: list[Shown] = []
        detector = DuplicateDetector()
        for shown in _from(self._source, wanted):
            if skip_repeats and detector.repeats(np.ascontiguousarray(shown.image[..., :3])):
                continue
            found = [*found, shown][-count:]
            # The second frame comes after the requested time, so the first one is shown at it.
            if len(found) == count and found[1].time > wanted:
                break
        if len(found) < count:
            raise InputError(f"{count} different frames are needed here; there are {len(found)}")
        return found

    def upright(self, shown: Shown) -> np.ndarray:
        """The frame as a player shows it: in 8 bits, and rotated as its file specifies."""
        image = shown.image[..., :3]
        if image.dtype != np.uint8:
            image = cv2.convertScaleAbs(image, alpha=255 / white(image.dtype))
        return np.ascontiguousarray(np.rot90(image, self._turns))

    def seconds(self, shown: Shown) -> float:
        """When a frame is shown, counted from the first one."""
        return float(shown.time - self._source.start)


def png(image: np.ndarray) -> str:
    """An RGB picture as a PNG file in base64."""
    data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), PNG)[1]
    return base64.b64encode(data.tobytes()).decode()


def _from(source: FrameSource, wanted: Fraction) -> Iterator[Shown]:
    """The frames from some point before a time on, or all frames."""
    if isinstance(source, Video):
        frames = _sought(source, wanted)
        first = next(frames, None)
        if first is not None and first.time <= wanted:
            yield first
            yield from frames
            return
    if isinstance(source, Pictures):
        first = min(int(wanted * source.rate), len(source.paths) - 1)
        # Start a few pictures early, so that the last ones have neighbours.
        skipped = max(0, first - 4)
        for shown in Pictures(source.paths[skipped:]):
            yield replace(shown, time=shown.time + skipped / source.rate)
        return
    yield from source


def _sought(video: Video, wanted: Fraction) -> Iterator[Shown]:
    """The frames of a video from a key frame before a time on; none if seeking fails."""
    converter = Converter()
    with open_container(video.path) as opened:
        container: Any = opened
        stream = container.streams[video.stream]
        stream.thread_type = "AUTO"
        # Start a second early, so that the last frames have neighbours.
        target = max(video.start, wanted - 1)
        try:
            container.seek(int((video.origin + target) / video.time_base), stream=stream)
            for frame in container.decode(stream):
                if frame.pts is None:
                    return
                time = frame.pts * Fraction(frame.time_base or stream.time_base) - video.origin
                image = converter.array(frame, video.look.depth > 8, False)
                yield Shown(image, time, 1 / video.rate)
        except av.FFmpegError:
            return
        finally:
            # A decoder can only be freed when its threads have no work; otherwise they would wait
            # for this thread.
            stream.codec_context.flush_buffers()
