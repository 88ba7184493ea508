"""Previews a sequence of pictures as a GIF with a palette made for them."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

# GIF compresses little, so pictures with longer sides than this are reduced.
LONGEST_SIDE = 480


def write_gif(path: Path, pictures: Iterator[np.ndarray], fps: float) -> None:
    """Writes a GIF whose palette is made for its pictures; it appears when it is complete.

    Args:
        path: The file to write.
        pictures: Pictures of H x W x 3, uint8, RGB; all are shown at the size of the first.
        fps: The number of pictures per second.
    """
    import av
    import cv2

    # GIF stores times in hundredths of a second.
    beat = Fraction(max(2, round(100 / fps)), 100)
    first = next(pictures)
    shrink = min(1.0, LONGEST_SIDE / max(first.shape[:2]))
    width, height = (max(1, round(side * shrink)) for side in first.shape[1::-1])

    rgb = av.VideoFormat("rgb24", width, height)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=rgb, time_base=beat)
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=full")
    use, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    for number, picture in enumerate((first, *pictures)):
        smaller = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(smaller.astype(np.uint8), format="rgb24")
        frame.pts, frame.time_base = number, beat
        source.push(frame)
    source.push(None)

    aside = path.with_name(f".{path.name}.partial")
    with av.open(str(aside), "w", format="gif") as file:
        stream = file.add_stream("gif", rate=1 / beat)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        with contextlib.suppress(av.error.EOFError):
            while True:
                mapped = sink.pull()
                assert isinstance(mapped, av.VideoFrame)
                file.mux(stream.encode(mapped))
        file.mux(stream.encode(None))
    aside.replace(path)
