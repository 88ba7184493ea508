"""A video file, joined from segments that are finished one by one."""

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

# By how much frames of one rate may differ in length, as the clocks of some containers are coarse.
UNEVEN = 1.5


class VideoFile:
    """A video that is written aside and renamed when it is complete.

    Args:
        path: Where it is to appear.
        encoder: Makes the packets.
        parts: Where finished segments are kept.
        copier: Makes a copier of the other streams, given the container; None: there are none.
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
        # Frames that were written, and those of them that are in finished segments.
        self.written = self.finished = self.encoded = 0
        self.spool = Spool(parts.frames, encoder.segment)
        self.last_stamp: int | None = None
        # A frame that waits to be encoded, with its time and length; and the lengths of all.
        self.waiting: tuple[np.ndarray, int, int] | None = None
        self.shortest = self.longest = 0
        # The file itself is made when encoding starts.
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
        """Adds a frame that is shown at `time`; None: one of the first `done`, which are there."""
        stamp, ticks = self.encoder.placed(time, length)
        self.shortest = min(self.shortest or ticks, ticks)
        self.longest = max(self.longest, ticks)
        number, self.written = self.written, self.written + 1
        if number < self.finished:
            return
        try:
            if image is None:
                image = self.spool.read(number)
            else:
                self.spool.add(number, image)
        except OSError as error:
            raise self._cannot_write(error) from None
        # One frame waits, for the last one may need a segment of its own.
        if self.waiting is not None:
            self._encode(*self.waiting)
        self.waiting = image, stamp, ticks

    def finish(self) -> None:
        """Completes the file and lets it appear."""
        if self.waiting is not None:
            # Of reordered frames the last one shown is not the last one written. An MP4 has the
            # length of that one alone; all others it has as steps from each to the next.
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
        """Leaves finished parts if they are kept, and nothing else."""
        try:
            self.container.close()
        except (av.FFmpegError, OSError, ValueError):
            logger.debug("%s could not be closed", self.aside, exc_info=True)
        self.aside.unlink(missing_ok=True)
        self.parts.discard()

    def _stream(self) -> Any:
        """The stream of pictures; its own encoder is opened for the header alone."""
        stream = self.container.add_stream(
            self.encoder.codec.encoder, rate=self.encoder.rate, options=self.encoder.options
        )
        self.encoder.describe(stream.codec_context)
        if self.encoder.codec.encoder == "libx265" and self.container.format.name in ("mp4", "mov"):
            # The other name that FFmpeg gives it is one that Apple's players do not know.
            stream.codec_context.codec_tag = "hvc1"
        stream.time_base = self.encoder.time_base
        if self.encoder.look.rotation:
            stream.set_display_rotation(self.encoder.look.rotation)
        if self.keeps_alpha and self.encoder.codec.encoder == "libvpx-vp9":
            stream.metadata["alpha_mode"] = "1"
        return stream

    def _continue(self) -> None:
        """Puts in what is finished."""
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

    def _encode(self, image: np.ndarray, stamp: int, ticks: int) -> None:
        self._add(self.encoder.encode(image, stamp, ticks))
        self.in_segment += 1
        if self.in_segment == self.encoder.segment:
            self._end_segment()

    def _add(self, packets: list[av.Packet]) -> None:
        try:
            # Muxing changes the clock of packets: they are kept as the encoder made them.
            self.parts.keep(packets)
        except OSError as error:
            raise self._cannot_write(error) from None
        self._mux(packets)

    def _end_segment(self) -> None:
        if not self.in_segment:
            return
        packets = self.encoder.end_segment()
        if self.in_segment == 1:
            # A frame alone need not be written before it is shown.
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
                # Uneven times can make a segment begin before the one before it ends.
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
