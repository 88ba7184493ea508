"""Copies everything but the pictures: sound, subtitles, attachments, chapters and metadata."""

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from tfvfi.media.container import open_container
from tfvfi.media.continuity import Continuity
from tfvfi.media.storage import OF_THE_DISK
from tfvfi.video.treatment import DROP, STRETCH
from tfvfi.video.writing.sound import STRETCHED, EncodedSound, open_encoder
from tfvfi.video.writing.tracks import Track, track_for

logger = logging.getLogger(__name__)

# Metadata that muxers write themselves, and that would be wrong if the duration changes.
OWN_WORDS = (
    *("duration", "encoder", "major_brand", "minor_version", "compatible_brands"),
    *("alpha_mode", "rotate"),
)
# The timecode of an MP4 stores the frames per second in one byte.
FASTEST_TIMECODE = 255
COVER_KINDS = {"png": "image/png", "mjpeg": "image/jpeg"}
MATROSKA_STATISTICS = ("bps", "number_of_", "_statistics_")


class Copier:
    """Copies streams packet by packet while frames are written.

    Args:
        path: The source.
        target: The output, before its first packet is written.
        pictures: The index of the source's video stream, which is not copied.
        origin: The time at which the source's earliest track starts, in seconds; it becomes 0.
        start: The time at which the pictures start, relative to `origin`.
        slower: The factor by which playback is slowed down.
        sound: In slow motion, "drop" or "stretch" the sound.
        seconds: How many seconds of the source are used; None uses all.
    """

    def __init__(
        self,
        path: Path,
        target: av.container.OutputContainer,
        pictures: int,
        origin: Fraction,
        start: Fraction,
        slower: int = 1,
        sound: str = DROP,
        seconds: Fraction | None = None,
    ):
        self.path = path
        self.target = target
        self.origin = origin
        self.slower = slower
        self.end = None if seconds is None else start + seconds
        self.source = open_container(path)
        self.tracks: dict[int, Track] = {}
        self.refused: dict[int, int] = {}
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
                    self._stretch(stream)
            elif stream.type in ("audio", "subtitle"):
                self._add(stream)
            else:
                logger.warning("%s track %d of %s is left out", stream.type, stream.index, path)
        self._describe(self.source.streams[pictures])
        self.packets = self._packets()
        self.waiting: av.Packet | None = None

    def copy_until(self, time: Fraction | None) -> None:
        """Writes the packets up to a time of the output; None writes all that remain."""
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
            index = packet.stream.index
            self._mux(index, self.tracks[index].taken(packet))

    def _packets(self) -> Iterator[av.Packet]:
        """Yields the packets of all copied tracks in file order, up to the end."""
        chosen = [self.source.streams[index] for index in self.tracks]
        if chosen:
            continuity = Continuity(self.source)
            for packet in self._readable(continuity.needed(chosen)):
                continuity.mend(packet)
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or packet.size == 0 or packet.stream.index not in self.tracks:
                    continue
                time = stamp * packet.time_base - self.origin
                if self.end is None or time < self.end:
                    yield packet
        for index, track in self.tracks.items():
            self._mux(index, track.rest())
        for index, count in self.refused.items():
            logger.warning(
                "%d packets of track %d of %s are damaged and are left out", count, index, self.path
            )
        self.source.close()

    def _readable(self, chosen: list[av.stream.Stream]) -> Iterator[av.Packet]:
        """Yields packets as far as they can be read."""
        try:
            yield from self.source.demux(chosen)
        except av.FFmpegError as error:
            logger.warning(
                "%s is damaged (%s): its other tracks end early", self.path, error.strerror
            )

    def _mux(self, index: int, packets: Iterable[av.Packet]) -> None:
        """Writes packets of a track; packets that the container refuses are only counted."""
        for packet in packets:
            try:
                self.target.mux(packet)
            except av.FFmpegError as error:
                if error.errno in OF_THE_DISK:
                    raise
                self.refused[index] = self.refused.get(index, 0) + 1

    def _moved(self, time: Fraction) -> Fraction:
        """Returns the time in the output of a time in the source."""
        return (time - self.origin) * self.slower

    def _add(self, stream: Any) -> None:
        found = track_for(stream, self.target, self.path, self._moved, self.slower)
        if found is not None:
            self.tracks[stream.index], made = found
            self._describe_stream(stream, made)

    def _stretch(self, stream: Any) -> None:
        codec = STRETCHED.get(self.target.format.name, "aac")
        made = open_encoder(stream, self.target, codec, self.path)
        self._describe_stream(stream, made)
        self.tracks[stream.index] = EncodedSound(stream, made, self.slower, self._moved)

    def _attach(self, stream: Any, kind: str, data: bytes) -> None:
        name = stream.metadata.get("filename", "attachment")
        if self.target.format.name != "matroska":
            logger.warning("the attachment %s of %s is left out; .mkv takes it", name, self.path)
            return
        self.target.add_attachment(name, kind, data)

    def _add_cover(self, stream: Any) -> None:
        """Copies the cover picture that players show for the file."""
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
        """Copies the chapters and the metadata of the file and of its pictures."""
        self.target.metadata.update(_words(self.source.metadata))
        if self.target.streams.video:
            made = self.target.streams.video[0]
            self._describe_stream(pictures, made)
            if made.codec_context.framerate > FASTEST_TIMECODE and self._drop_timecode(made):
                logger.warning(
                    "the timecode of %s is left out: it counts to %d frames a second",
                    self.path,
                    FASTEST_TIMECODE,
                )
        chapters = []
        for chapter in self.source.chapters():
            base = Fraction(chapter["time_base"])
            start, end = (max(self.origin, chapter[name] * base) for name in ("start", "end"))
            if self.end is not None:
                end = min(end, self.origin + self.end)
            if start < end:
                stamps = {
                    name: round(self._moved(time) / base)
                    for name, time in (("start", start), ("end", end))
                }
                chapters.append({**chapter, **stamps})
        if chapters:
            self.target.set_chapters(chapters)

    def _drop_timecode(self, made: Any) -> bool:
        """Removes a timecode that an MP4 would refuse on completion; returns whether there was."""
        if self.target.format.name not in ("mp4", "mov"):
            return False
        found = [
            words.pop(name)
            for words in (self.target.metadata, made.metadata)
            for name in list(words)
            if name.lower() == "timecode"
        ]
        return bool(found)

    def _describe_stream(self, source: Any, copy: Any) -> None:
        copy.metadata.update(_words(source.metadata))
        copy.disposition = source.disposition


def _words(metadata: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in metadata.items()
        if name.lower() not in OWN_WORDS
        and not any(part in name.lower() for part in MATROSKA_STATISTICS)
    }
