"""All of a file but its pictures: sound, subtitles, attachments, chapters, metadata."""

import contextlib
import io
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from tfvfi.errors import InputError
from tfvfi.media.container import codec_tag, open_container
from tfvfi.video.treatment import DROP, STRETCH
from tfvfi.video.writing.stretch import Stretcher, sound_codec

logger = logging.getLogger(__name__)

# Words that muxers write themselves, and would be wrong where the length changes.
OWN_WORDS = (
    *("duration", "encoder", "major_brand", "minor_version", "compatible_brands"),
    *("alpha_mode", "rotate"),
)
COVER_KINDS = {"png": "image/png", "mjpeg": "image/jpeg"}
USUAL_LAYOUTS = {1: "mono", 2: "stereo", 4: "4.0", 6: "5.1", 8: "7.1"}
MATROSKA_STATISTICS = ("bps", "number_of_", "_statistics_")


class Copier:
    """Copies streams packet by packet, as time goes on.

    Args:
        path: A file.
        target: Where to, before its first packet is written.
        pictures: Index of the source's stream of pictures, which is not copied.
        start: When the source's pictures start, in seconds.
        slower: By how much time is stretched from there on.
        sound: Where it is stretched, whether sound is "drop" or "stretch".
        seconds: How much of the source is wanted; None: all.
    """

    def __init__(
        self,
        path: Path,
        target: av.container.OutputContainer,
        pictures: int,
        start: Fraction,
        slower: int = 1,
        sound: str = DROP,
        seconds: Fraction | None = None,
    ):
        self.path = path
        self.target = target
        self.start = start
        self.slower = slower
        self.end = None if seconds is None else start + seconds
        self.source = open_container(path)
        self.streams: dict[int, av.stream.Stream | Stretcher] = {}
        self.covers: list[av.Packet] = []
        for stream in self.source.streams:
            if stream.index == pictures:
                continue
            if stream.type == "attachment":
                self._attach(stream, stream.mimetype, stream.data)
            elif stream.disposition & Disposition.attached_pic:
                self._add_cover(stream)
            elif stream.type == "audio" and slower != 1:
                if sound == STRETCH:
                    self.streams[stream.index] = self._stretcher(stream)
            elif stream.type in ("audio", "subtitle"):
                self._add(stream)
            else:
                logger.warning("%s track %d of %s is left out", stream.type, stream.index, path)
        self._describe(self.source.streams[pictures])
        self.packets = self._packets()
        self.waiting: av.Packet | None = None

    def copy_until(self, time: Fraction | None) -> None:
        """Writes what belongs before `time` of the output; None: all that is left."""
        while self.covers:
            self.target.mux(self.covers.pop())
        while True:
            self.waiting = self.waiting or next(self.packets, None)
            if self.waiting is None:
                return
            stamp = self.waiting.dts if self.waiting.dts is not None else self.waiting.pts
            if time is not None and self._moved(stamp * self.waiting.time_base) > time:
                return
            packet, self.waiting = self.waiting, None
            target = self.streams[packet.stream.index]
            if isinstance(target, Stretcher):
                self.target.mux(target.stretched(packet))
                continue
            if self.slower != 1:
                self._slow_down(packet)
            packet.stream = target
            self.target.mux(packet)

    def _packets(self) -> Iterator[av.Packet]:
        chosen = [self.source.streams[index] for index in self.streams]
        if chosen:
            for packet in self._readable(chosen):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or packet.size == 0:
                    continue
                if self.end is None or stamp * packet.time_base < self.end:
                    yield packet
        for stretcher in self.streams.values():
            if isinstance(stretcher, Stretcher):
                self.target.mux(stretcher.rest())
        self.source.close()

    def _readable(self, chosen: list[av.stream.Stream]) -> Iterator[av.Packet]:
        """Packets as far as they can be read."""
        try:
            yield from self.source.demux(chosen)
        except av.FFmpegError as error:
            logger.warning(
                "%s is damaged (%s): its other tracks end early", self.path, error.strerror
            )

    def _moved(self, time: Fraction) -> Fraction:
        """When something of the source is in the output."""
        return self.start + (time - self.start) * self.slower

    def _slow_down(self, packet: av.Packet) -> None:
        base = packet.time_base
        for name in ("pts", "dts"):
            stamp = getattr(packet, name)
            if stamp is not None:
                setattr(packet, name, round(self._moved(stamp * base) / base))
        packet.duration = (packet.duration or 0) * self.slower

    def _add(self, stream: Any) -> None:
        if stream.codec_context is None:
            logger.warning(
                "this FFmpeg does not know the codec '%s' of the %s track of %s, which is left out",
                codec_tag(self.source, stream),
                stream.type,
                self.path,
            )
            return
        codec = stream.codec_context.name
        if codec not in self.target.supported_codecs or not _fits(stream, self.target.format.name):
            logger.warning(
                "the %s track of %s (%s) does not fit into the output's container and is left "
                "out; .mkv takes every kind",
                stream.type,
                self.path,
                codec,
            )
            return
        copy = self.target.add_stream_from_template(stream)
        self._describe_stream(stream, copy)
        self.streams[stream.index] = copy

    def _stretcher(self, stream: Any) -> Stretcher:
        codec = sound_codec(self.target)
        layout = stream.layout.name
        if layout.endswith("channels"):
            # It is not told which channel is which.
            layout = USUAL_LAYOUTS.get(stream.channels, layout)
        copy = self.target.add_stream(codec, rate=_rate(codec, stream.rate), layout=layout)
        try:
            copy.codec_context.open()
        except (av.FFmpegError, ValueError):
            raise InputError(
                f"{codec} does not take the sound of {self.path} ({stream.rate} Hz, {layout}), so "
                "it cannot be stretched; pass `sound='drop'`"
            ) from None
        self._describe_stream(stream, copy)
        return Stretcher(stream, copy, self.slower, self._moved)

    def _attach(self, stream: Any, kind: str, data: bytes) -> None:
        name = stream.metadata.get("filename", "attachment")
        if self.target.format.name != "matroska":
            logger.warning("the attachment %s of %s is left out; .mkv takes it", name, self.path)
            return
        self.target.add_attachment(name, kind, data)

    def _add_cover(self, stream: Any) -> None:
        """Copies a picture that players show for the file."""
        with open_container(self.path) as source:
            cover = next(source.demux(source.streams[stream.index]))
        if self.target.format.name == "mp4":
            copy = self.target.add_stream_from_template(stream)
            copy.disposition = stream.disposition
            cover.stream = copy
            self.covers.append(cover)
            return
        kind = COVER_KINDS.get(stream.codec_context.name, "image/png")
        self._attach(stream, stream.metadata.get("mimetype", kind), bytes(cover))

    def _describe(self, pictures: Any) -> None:
        """Chapters, and what is written about the file and its pictures."""
        self.target.metadata.update(_words(self.source.metadata))
        if self.target.streams.video:
            self._describe_stream(pictures, self.target.streams.video[0])
        chapters = []
        for chapter in self.source.chapters():
            base = Fraction(chapter["time_base"])
            start, end = (chapter[name] * base for name in ("start", "end"))
            if self.end is not None:
                end = min(end, self.end)
            if start < end:
                stamps = {
                    name: round(self._moved(time) / base)
                    for name, time in (("start", start), ("end", end))
                }
                chapters.append({**chapter, **stamps})
        if chapters:
            self.target.set_chapters(chapters)

    def _describe_stream(self, source: Any, copy: Any) -> None:
        copy.metadata.update(_words(source.metadata))
        copy.disposition = source.disposition


def _fits(stream: Any, muxer: str) -> bool:
    """Whether a container takes a track: some list what they refuse."""
    probe = av.open(io.BytesIO(), "w", format=muxer)
    try:
        probe.add_stream_from_template(stream)
        probe.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    with contextlib.suppress(av.FFmpegError):
        probe.close()
    return True


def _words(metadata: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in metadata.items()
        if name.lower() not in OWN_WORDS
        and not any(part in name.lower() for part in MATROSKA_STATISTICS)
    }


def _rate(codec: str, rate: int) -> int:
    """Samples a second; Opus knows one rate only."""
    return 48000 if codec == "libopus" else rate
