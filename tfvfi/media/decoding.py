"""Decodes the frames of one stream packet by packet, and detects damage that decoders conceal."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from tfvfi.media.continuity import Continuity
from tfvfi.media.reports import Reports

logger = logging.getLogger(__name__)

# After this many errors without a packet between them, decoding stops.
MOST_ERRORS_IN_A_ROW = 100
# Containers with an index of all frames, which is read when they are opened.
INDEXED = ("mov,mp4", "avi")
# Codecs in which every packet is a frame.
FRAME_A_PACKET = ("av1", "libdav1d", "vp9", "libvpx-vp9", "prores", "mjpeg", "ffv1")


def decoded(
    path: Path, container: Any, stream: Any, max_pixels: int, damage: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """Yields all frames that can be decoded.

    Args:
        path: The file, for messages.
        container: The open file.
        stream: Its video stream.
        max_pixels: The largest number of pixels in a frame; larger frames, which may also come
            later in the stream, are not decoded.
        damage: Called with a description of each damage; an exception from it ends the decoding.
    """
    decoder = _decoder(stream) or stream.codec_context
    decoder.options = {**decoder.options, "max_pixels": str(max_pixels)}
    names = (container.format.name, decoder.name, stream.codec_context.name)
    lost = 0
    with Reports(*names) as reports:
        try:
            for frame, said in _frames(container, stream, decoder, reports):
                if said is not None:
                    damage(said)
                    lost += 1
                if frame is not None:
                    yield frame
        finally:
            # A decoder can only be freed when its threads have no work; otherwise they would wait
            # for this thread.
            decoder.flush_buffers()
    if lost:
        logger.warning(
            "%s is damaged: %d frames or packets of it are lost or incomplete", path, lost
        )


def _frames(
    container: Any, stream: Any, decoder: Any, reports: Reports
) -> Iterator[tuple[av.VideoFrame | None, str | None]]:
    """Yields frames, and descriptions of damage in or between them."""
    expected, read, given = _indexed(container, stream), 0, 0
    continuity = Continuity(container)
    needed = continuity.needed([stream])
    packets, in_a_row, sound = container.demux(needed), 0, False
    while in_a_row < MOST_ERRORS_IN_A_ROW:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            continuity.mend(packet)
            if packet.stream.index != stream.index:
                continue
            # The last packet is empty and marks the end; other empty packets may repeat a frame.
            read += packet.dts is not None or packet.pts is not None or packet.size > 0
            given -= packet.size > 0 and not packet.is_discard
            frames = decoder.decode(packet)
        except av.EOFError:
            break
        except av.FFmpegError as error:
            reports.taken()
            in_a_row += 1
            yield None, f"decoding stopped ({error.strerror})"
            # An error ends the iterator of packets; a new one continues after the error.
            packets = container.demux(needed)
            continue
        in_a_row = 0
        # A recording may begin with frames that refer to earlier frames, which it does not hold.
        begun = sound or any(frame.key_frame for frame in frames)
        if (reported := reports.taken()) and begun:
            yield None, f"FFmpeg reports: {reported[0]}"
        for frame in frames:
            incomplete = frame.is_corrupt and (sound or frame.key_frame)
            sound = sound or not frame.is_corrupt
            given += 1
            yield frame, "a frame is incomplete" if incomplete else None
    if read < expected:
        yield None, f"{read} of the {expected} frames in its index are there"
    if given < 0 and decoder.name in FRAME_A_PACKET:
        yield None, f"{-given} of its frames cannot be decoded"


def _indexed(container: Any, stream: Any) -> int:
    """Returns the number of packets in the container's index; 0 if it has none."""
    if not container.format.name.startswith(INDEXED):
        return 0
    entries = len(stream.index_entries)
    if entries > 1 or container.format.name != "avi":
        return entries
    return stream.frames


def _decoder(stream: Any) -> av.CodecContext | None:
    """Returns a decoder that keeps transparency if FFmpeg's default decoder would lose it."""
    marked = {name.lower(): value for name, value in stream.metadata.items()}
    if marked.get("alpha_mode") == "1" and stream.codec_context.name in ("vp8", "vp9"):
        name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[stream.codec_context.name]
        return av.CodecContext.create(name, "r")
    return None
