"""Copies sound and subtitle tracks, or converts them if necessary.

If a container cannot hold a track unchanged, the track is converted and a line is logged. A track
is left out only if it cannot be converted.
"""

import contextlib
import io
import logging
from pathlib import Path
from typing import Any, Protocol

import av

from tfvfi.errors import InputError
from tfvfi.media.container import codec_tag, open_container
from tfvfi.video.writing.packets import Copied, Moved, Stamps
from tfvfi.video.writing.sound import CONVERTED, EncodedSound, open_encoder
from tfvfi.video.writing.subtitles import TEXTS, ConvertedText

logger = logging.getLogger(__name__)

# Matroska holds nearly everything that other containers do not.
LARGEST = ("matroska", ".mkv")
# The number of packets with which a container is tried, and the most packets read to find them.
TRIED, MOST_READ = 3, 2000


class Track(Protocol):
    """A track of the output that is made from a track of the source."""

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """Takes a packet of the source and returns the output packets that are ready."""

    def rest(self) -> list[av.Packet]:
        """Returns the remaining packets at the end."""


def track_for(
    stream: Any, target: av.container.OutputContainer, path: Path, moved: Moved, slower: int
) -> tuple[Track, Any] | None:
    """Returns a track and its stream in the output; None if it is left out, which is logged.

    Args:
        stream: A track of the source.
        target: The output, before its first packet is written.
        path: The source.
        moved: Returns the time in the output of a time in the source.
        slower: The factor by which playback is slowed down.
    """
    if stream.codec_context is None:
        logger.warning(
            "this FFmpeg does not know the codec '%s' of the %s track of %s, which is left out",
            codec_tag(stream.container, stream),
            stream.type,
            path,
        )
        return None
    muxer, stamps = target.format.name, Stamps(moved, slower, strict=stream.type == "audio")
    begins = _first_packets(path, stream.index) if stream.type == "audio" else []
    if _fits(stream, muxer, begins):
        copy = target.add_stream_from_template(stream)
        return Copied(copy, stamps), copy
    what = f"the {stream.type} track of {path} ({stream.codec_context.name})"
    what = f"{what} does not fit into {Path(target.name).suffix}"
    kept = f"; {LARGEST[1]} takes it" if _fits(stream, LARGEST[0], begins) else ""
    codec = _converted(stream, muxer)
    if codec is None:
        logger.warning("%s, cannot be converted and is left out%s", what, kept)
        return None
    if stream.type == "audio":
        made = open_encoder(stream, target, codec, path)
        track: Track = EncodedSound(stream, made, 1, moved)
    else:
        made = target.add_stream(codec)
        track = ConvertedText(stream, made, stamps)
    name = av.codec.Codec(codec, "w").canonical_name
    logger.warning("%s and is converted to %s%s", what, name, kept and f"{kept} as it is")
    return track, made


def _converted(stream: Any, muxer: str) -> str | None:
    """Returns the encoder that converts a track for a container; None if there is none."""
    if stream.type == "audio":
        # Sound that cannot be decoded has no rate or channels.
        return CONVERTED.get(muxer, "aac") if stream.rate and stream.channels else None
    return TEXTS.get(muxer) if stream.codec_context.codec.text_sub else None


def _fits(stream: Any, muxer: str, begins: list[tuple[bytes, int, int]]) -> bool:
    """Returns whether a container takes a track.

    This is tried out, because some containers refuse tracks that they list, or their packets.
    """
    probe = av.open(io.BytesIO(), "w", format=muxer)
    try:
        copy = probe.add_stream_from_template(stream)
        probe.start_encoding()
        for data, stamp, duration in begins:
            packet = av.Packet(data)
            packet.pts = packet.dts = stamp
            packet.duration, packet.time_base, packet.stream = duration, stream.time_base, copy
            probe.mux(packet)
    except (av.FFmpegError, ValueError):
        return False
    try:
        probe.close()
    except av.FFmpegError:
        # Some containers can never be completed without packets, whatever the track is.
        return not begins
    return True


def _first_packets(path: Path, index: int) -> list[tuple[bytes, int, int]]:
    """Returns the bytes, time and length of the first packets of a track."""
    found: list[tuple[bytes, int, int]] = []
    with contextlib.suppress(av.FFmpegError, InputError), open_container(path) as source:
        for number, packet in enumerate(source.demux()):
            if packet.stream.index == index and packet.size:
                stamp = len(found) * max(1, packet.duration or 0)
                found.append((bytes(packet), stamp, packet.duration or 0))
            if len(found) == TRIED or number == MOST_READ:
                break
    return found
