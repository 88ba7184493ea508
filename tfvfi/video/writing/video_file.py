"""Writes a video file, which is joined from segments that are finished one by one."""

import logging
import os
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.storage import OF_THE_DISK
from tfvfi.video.writing.copier import Copier
from tfvfi.video.writing.encoder import Encoder, refusal
from tfvfi.video.writing.encoding import has_alpha, muxer
from tfvfi.video.writing.segments import Parts, read_segment
from tfvfi.video.writing.spool import Spool
from tfvfi.video.writing.svt import kept_calm

logger = logging.getLogger(__name__)

# The factor by which lengths of frames of one rate may differ because of coarse clocks.
UNEVEN = 1.5


class VideoFile:
    """A video that is written to a temporary file and renamed when it is complete.

    Args:
        path: The output.
        encoder: The encoder of the frames.
        parts: The folder of finished segments.
        copier: Returns a copier of the other streams for a container; None if there are none.

    Raises:
        InputError: The file cannot be written with these settings.
    """

    def __init__(
        self,
        path: Path,
        encoder: Encoder,
        parts: Parts,
        copier: Callable[[av.container.OutputContainer], Copier] | None = None,
    ):
        self.path = path
        self.aside = parts.aside(path.name)
        self.encoder = encoder
        self.parts = parts
        self.keeps_alpha = has_alpha(encoder.pixel_format)
        self.done = self.number = self.in_segment = 0
        # The numbers of frames written, in segments of earlier runs, and in all finished segments.
        self.written = self.finished = self.encoded = 0
        self.spool = Spool(parts.frames, encoder.segment, encoder.size, encoder.pixel_format)
        self.last_stamp: int | None = None
        # The frame that waits to be encoded, with its time and length.
        self.waiting: tuple[av.VideoFrame, int, int] | None = None
        self.shortest = self.longest = 0
        # The file itself is created when encoding starts.
        self.container = av.open(str(self.aside), "w", format=muxer(path.suffix.lower()))
        try:
            self.stream = self._stream()
            self.copier = copier(self.container) if copier else None
            with kept_calm():
                self.container.start_encoding()
        except InputError:
            self.discard()
            raise
        except (ValueError, OSError, av.FFmpegError) as error:
            self.discard()
            if getattr(error, "errno", None) in OF_THE_DISK:
                raise self._cannot_write(error) from None
            said = refusal(encoder.codec, error)
            raise InputError(f"{path.name} cannot be written like this: {said}") from None
        self._continue()

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a frame that is shown at `time`; None for one of the first `done` frames."""
        stamp, ticks = self.encoder.placed(time, length)
        self.shortest = min(self.shortest or ticks, ticks)
        self.longest = max(self.longest, ticks)
        number, self.written = self.written, self.written + 1
        if number < self.finished:
            return
        try:
            if image is None:
                frame = self.spool.read(number)
            else:
                frame = self.encoder.frame(image)
                self.spool.add(number, frame)
        except OSError as error:
            raise self._cannot_write(error) from None
        # One frame waits because the last one may need a segment of its own.
        if self.waiting is not None:
            self._encode(*self.waiting)
        self.waiting = frame, stamp, ticks

    def finish(self) -> None:
        """Completes the file and gives it its name."""
        if self.waiting is not None:
            # With reordering, the last frame shown is not the last one written. An MP4 stores the
            # length of the last one written only; other lengths are the steps between frames.
            if self.encoder.codec.reorders and self.longest > UNEVEN * self.shortest:
                self._end_segment()
            self._encode(*self.waiting)
        self._end_segment()
        try:
            if self.copier:
                self.copier.copy_until(None)
            self.container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None
        os.replace(self.aside, self.path)
        self.parts.remove()

    def discard(self) -> None:
        """Abandons the output; keeps finished segments if work can be resumed, and nothing else."""
        try:
            self.container.close()
        except (av.FFmpegError, OSError, ValueError):
            logger.debug("%s could not be closed", self.aside, exc_info=True)
        self.aside.unlink(missing_ok=True)
        self.parts.discard()

    def _stream(self) -> Any:
        """Adds the video stream, whose own encoder is opened only for the header."""
        stream = self.container.add_stream(
            self.encoder.codec.encoder, rate=self.encoder.rate, options=self.encoder.options
        )
        self.encoder.describe(stream.codec_context)
        if self.encoder.codec.encoder == "libx265" and self.container.format.name in ("mp4", "mov"):
            # Apple's players do not know the name that FFmpeg gives it by default.
            stream.codec_context.codec_tag = "hvc1"
        stream.time_base = self.encoder.time_base
        if self.encoder.look.rotation:
            stream.set_display_rotation(self.encoder.look.rotation)
        if self.keeps_alpha and self.encoder.codec.encoder == "libvpx-vp9":
            stream.metadata["alpha_mode"] = "1"
        return stream

    def _continue(self) -> None:
        """Adds the segments and frames that an earlier run finished."""
        try:
            for segment in self.parts.segments():
                frames, packets = read_segment(segment)
                self._mux(packets)
                self.finished += frames
                self.number += 1
            self.encoded = self.finished
            self.done = self.finished + self.spool.recover(self.finished)
        except BaseException:
            self.discard()
            raise

    def _encode(self, frame: av.VideoFrame, stamp: int, ticks: int) -> None:
        self._add(self.encoder.encode(frame, stamp, ticks))
        self.in_segment += 1
        if self.in_segment == self.encoder.segment:
            self._end_segment()

    def _add(self, packets: list[av.Packet]) -> None:
        try:
            # Packets are kept before muxing, which changes their time base.
            self.parts.keep(packets)
        except OSError as error:
            raise self._cannot_write(error) from None
        self._mux(packets)

    def _end_segment(self) -> None:
        if not self.in_segment:
            return
        packets = self.encoder.end_segment()
        if self.in_segment == 1:
            # A single frame needs no time to decode before it is shown.
            for packet in packets:
                packet.dts = packet.pts
        self._add(packets)
        try:
            self.parts.finish_segment(self.number, self.in_segment)
        except OSError as error:
            raise self._cannot_write(error) from None
        self.number += 1
        self.encoded += self.in_segment
        self.in_segment = 0
        self.spool.end_segment(self.encoded)

    def _mux(self, packets: Iterable[av.Packet]) -> None:
        try:
            for packet in packets:
                packet.time_base = self.encoder.time_base
                packet.stream = self.stream
                # With uneven times, a segment can begin before the previous one ends.
                if self.last_stamp is not None and packet.dts <= self.last_stamp:
                    packet.dts = min(self.last_stamp + 1, packet.pts)
                self.last_stamp = packet.dts
                if self.copier:
                    self.copier.copy_until(packet.dts * self.encoder.time_base)
                self.container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> InputError:
        return InputError(f"{self.path} cannot be written: {error.strerror}")
