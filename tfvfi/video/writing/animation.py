"""Joins pictures to GIF, WebP and APNG animations once all pictures are finished.

Memory therefore holds one picture however long the animation is, a GIF gets one palette for all of
its pictures, and interrupted work continues with the pictures that exist.
"""

import contextlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tfvfi.media.sequence import decode
from tfvfi.video.writing.webp import write_webp

# Viewers ignore the duration of GIF frames of less than two hundredths of a second.
FASTEST_GIF = 50
TRANSPARENT_BELOW = 128
Lengths = Sequence[Fraction]


def join_webp(path: Path, pictures: Sequence[Path], lengths: Lengths) -> None:
    """Joins WebP pictures."""
    first = decode(np.fromfile(pictures[0], np.uint8))
    write_webp(path, (file.read_bytes() for file in pictures), _ticks(lengths, 1000), first)


def join_apng(path: Path, pictures: Sequence[Path], lengths: Lengths) -> None:
    """Joins PNG pictures of one size and kind; viewers without APNG show the first."""
    sequence = 0
    with path.open("wb") as file:
        for number, (picture, shown) in enumerate(
            zip(pictures, _ticks(lengths, 1000), strict=True)
        ):
            chunks = list(_png_chunks(picture.read_bytes()))
            header = dict(chunks)[b"IHDR"]
            if not number:
                file.write(b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header))
                file.write(_png_chunk(b"acTL", struct.pack(">2I", len(pictures), 0)))
            place = header[:8] + bytes(8)
            control = struct.pack(">I", sequence) + place + struct.pack(">2H2B", shown, 1000, 0, 0)
            file.write(_png_chunk(b"fcTL", control))
            sequence += 1
            for name, data in chunks:
                if name != b"IDAT":
                    continue
                if number:
                    data = struct.pack(">I", sequence) + data
                    sequence += 1
                file.write(_png_chunk(b"fdAT" if number else b"IDAT", data))
        file.write(_png_chunk(b"IEND", b""))


def join_gif(path: Path, pictures: Sequence[Path], lengths: Lengths) -> None:
    """Joins pictures to a GIF whose 256 colors are chosen for all of them together."""

    def frames() -> Iterator[av.VideoFrame]:
        for number, picture in enumerate(pictures):
            image = decode(np.fromfile(picture, np.uint8))
            if image.shape[-1] == 3:
                image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
            image[..., 3] = np.where(image[..., 3] < TRANSPARENT_BELOW, 0, 255)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgba")
            frame.pts, frame.time_base = number, Fraction(1, 100)
            yield frame

    size = next(frames())
    form = {"width": size.width, "height": size.height, "time_base": Fraction(1, 100)}
    (palette,) = _filtered(frames(), form, ("palettegen", "stats_mode=full:reserve_transparent=1"))
    shown = iter(_ticks(lengths, 100))
    at = 0
    with av.open(str(path), "w", format="gif") as file:
        stream = file.add_stream("gif", rate=100)
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "pal8"
        stream.codec_context.time_base = Fraction(1, 100)
        for frame in _filtered(frames(), form, ("paletteuse", "dither=sierra2_4a"), palette):
            ticks = next(shown)
            frame.pts, frame.time_base, frame.duration = at, Fraction(1, 100), ticks
            at += ticks
            for packet in stream.encode(frame):
                packet.duration = ticks
                file.mux(packet)
        file.mux(stream.encode(None))


# For each ending, the format of the single pictures and the function that joins them.
JOINED: dict[str, tuple[str, Callable[[Path, Sequence[Path], Lengths], None]]] = {
    ".gif": ("png", join_gif),
    ".webp": ("webp", join_webp),
    ".apng": ("png", join_apng),
}


def _ticks(lengths: Lengths, a_second: int) -> list[int]:
    """Rounds lengths to whole ticks whose sums stay within half a tick of the exact times."""
    found, end, told = [], Fraction(0), 0
    for length in lengths:
        end += length
        found.append(max(1, round(end * a_second) - told))
        told += found[-1]
    return found


def _filtered(
    frames: Iterator[av.VideoFrame],
    form: dict,
    step: tuple[str, str],
    palette: av.VideoFrame | None = None,
) -> Iterator[av.VideoFrame]:
    """Yields the output of an FFmpeg filter for frames, with a palette if the filter needs one."""
    graph = av.filter.Graph()
    source = graph.add_buffer(format="rgba", **form)
    work, sink = graph.add(*step), graph.add("buffersink")
    source.link_to(work)
    if palette is not None:
        beside = graph.add_buffer(
            width=palette.width, height=palette.height, format="bgra", time_base=form["time_base"]
        )
        beside.link_to(work, 0, 1)
    work.link_to(sink)
    graph.configure()
    if palette is not None:
        palette.pts = 0
        beside.push(palette)
        beside.push(None)
    for frame in frames:
        source.push(frame)
        with contextlib.suppress(BlockingIOError, av.error.BlockingIOError, av.error.EOFError):
            while True:
                yield sink.pull()
    source.push(None)
    with contextlib.suppress(BlockingIOError, av.error.BlockingIOError, av.error.EOFError):
        while True:
            yield sink.pull()


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 8
    while start + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, data[start + 8 : start + 8 + length]
        start += 12 + length


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
