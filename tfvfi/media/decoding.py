"""Frames of one stream, decoded packet by packet; damage is noticed also where it is concealed."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from tfvfi.media.continuity import Continuity
from tfvfi.media.reports import Reports

logger = logging.getLogger(__name__)

# More errors without a packet between them, and the rest is given up.
MOST_ERRORS_IN_A_ROW = 100
# Containers with an index of all frames, which has been read when they are open.
INDEXED = ("mov,mp4", "avi")
# Codecs of which every packet is a frame.
FRAME_A_PACKET = ("av1", "libdav1d", "vp9", "libvpx-vp9", "prores", "mjpeg", "ffv1")


def decoded(
    path: Path, container: Any, stream: Any, max_pixels: int, damage: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded.

    Args:
        path: The file, for messages.
        container: It, open.
        stream: Its pictures.
        max_pixels: Larger frames are not decoded: they may also grow on the way.
        damage: Called with every damage; what it raises ends the decoding.
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
            # Without work in its threads it can be freed; they would wait for this one.
            decoder.flush_buffers()
    if lost:
        logger.warning(
            "%s is damaged: %d frames or packets of it are lost or incomplete", path, lost
        )


def _frames(
    container: Any, stream: Any, decoder: Any, reports: Reports
) -> Iterator[tuple[av.VideoFrame | None, str | None]]:
    """Frames, and what is wrong with them or with what lies between them."""
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
            # The last packet is empty and stands for the end; others may repeat a frame.
            read += packet.dts is not None or packet.pts is not None or packet.size > 0
            given -= packet.size > 0 and not packet.is_discard
            frames = decoder.decode(packet)
        except av.EOFError:
            break
        except av.FFmpegError as error:
            reports.taken()
            in_a_row += 1
            yield None, f"decoding stopped ({error.strerror})"
            # An error ends the reading of packets; another one goes on behind it.
            packets = container.demux(needed)
            continue
        in_a_row = 0
        # A recording may begin with frames that refer to what was before it.
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
    """How many packets there must be; 0 if the container does not know in advance."""
    if not container.format.name.startswith(INDEXED):
        return 0
    entries = len(stream.index_entries)
    if entries > 1 or container.format.name != "avi":
        return entries
    return stream.frames


def _decoder(stream: Any) -> av.CodecContext | None:
    """A decoder of our choice, where FFmpeg's own would lose the transparency."""
    marked = {name.lower(): value for name, value in stream.metadata.items()}
    if marked.get("alpha_mode") == "1" and stream.codec_context.name in ("vp8", "vp9"):
        name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[stream.codec_context.name]
        return av.CodecContext.create(name, "r")
    return None
