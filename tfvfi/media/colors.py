"""Between the frames of FFmpeg and RGB arrays, back and forth without a shift.

FFmpeg's usual conversions round down: frames come out darker by one level of 256, and chroma
moves. Here they are exact, and the way back averages the chroma that the way there spreads: soft
colors take both ways without any change (bicubic both ways: 87 dB; both ways of FFmpeg's default,
bilinear: 68 dB).

Sharp edges between the strongest colors do not come back: between the samples of 4:2:0 chroma lie
colors that no screen has, and RGB ends there (chroma 35 dB, brightness 39 dB for rectangles of
pure colors; 52 and 63 dB for a filmed scene). Therefore source frames go to the encoder as they
were decoded wherever size, pixel format and color tags stay; new frames take the way through RGB.
The two do not flicker: beside a source frame, the same picture by way of RGB has the same mean
level within 0.03 of 255 for soft and filmed colors (0.7 for the rectangles), and any 8 x 8 block
of it within 2 (6.5). Were all frames to take the way through RGB there would be no difference at
all, and every source frame would lose what only new ones must.
"""

from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from tfvfi.media.look import FULL, UNTOLD, Look

# FFmpeg's bicubic, with accurate rounding, whole chroma in and out, and bit-exact ...
EXACT = 0x4 | 0x40000 | 0x2000 | 0x4000 | 0x80000
# ... its way back: the mean of the pixels that share a sample of chroma ...
EXACT_BACK = 0x20 | 0x40000 | 0x2000 | 0x4000 | 0x80000
# ... and its bilinear, which is what it takes if nobody asks.
FAST = 0x2
# FFmpeg has one number for the two names of BT.601.
SAME_MATRIX = {6: 5}
ARRAYS = {(3, 1): "rgb24", (4, 1): "rgba", (3, 2): "rgb48le", (4, 2): "rgba64le"}


class Converter:
    """Converts frames of one kind; it keeps what FFmpeg prepares for them.

    Args:
        exact: Without a shift; else arrays are had in a tenth of the time, a level darker and
            with unfiltered chroma, as most programs read videos.
    """

    def __init__(self, exact: bool = True):
        self.exact = exact
        self.reformatter = VideoReformatter()
        self._neutral: tuple[tuple, av.filter.Graph] | None = None

    def array(self, frame: av.VideoFrame, deep: bool, alpha: bool) -> np.ndarray:
        """A frame as H x W x 3 (or 4), uint8 (or uint16), by its own matrix and range.

        Args:
            frame: A decoded frame.
            deep: Whether 16 bits are wanted.
            alpha: Whether transparency is wanted.
        """
        form = ARRAYS[3 + alpha, 1 + deep]
        if self.exact and not frame.format.is_rgb:
            frame = self._without_place(frame)
        way = EXACT if self.exact else FAST
        return self.reformatter.reformat(frame, format=form, interpolation=way).to_ndarray()

    def frame(self, image: np.ndarray, pixel_format: str, look: Look) -> av.VideoFrame:
        """An array as a frame.

        Args:
            image: H x W x 3 or 4, uint8 or uint16.
            pixel_format: FFmpeg's name of what is wanted.
            look: Tells matrix and range.
        """
        is_rgb = av.VideoFormat(pixel_format).is_rgb
        if look.color_range == FULL and image.dtype == np.uint8 and not is_rgb:
            # Of eight bits, those of the full range would still be rounded down.
            image = image.astype(np.uint16) * np.uint16(257)
        frame = av.VideoFrame.from_ndarray(image, ARRAYS[image.shape[-1], image.itemsize])
        matrix = SAME_MATRIX.get(look.colorspace, look.colorspace)
        return self.reformatter.reformat(
            frame,
            format=pixel_format,
            interpolation=EXACT_BACK,
            dst_colorspace=matrix if matrix != UNTOLD else None,
            dst_color_range=look.color_range or None,
        )

    def _without_place(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame without a word on where between the pixels its chroma was sampled.

        Some decoders tell and nobody tells the way back, so that chroma would move a quarter of a
        pixel. The same guess both ways keeps it where it was.
        """
        kind = (frame.width, frame.height, frame.format.name)
        if self._neutral is None or self._neutral[0] != kind:
            graph = av.filter.Graph()
            graph.link_nodes(
                graph.add_buffer(
                    width=frame.width,
                    height=frame.height,
                    format=frame.format.name,
                    time_base=frame.time_base or Fraction(1),
                ),
                graph.add("setparams", "chroma_location=unspecified"),
                graph.add("buffersink"),
            ).configure()
            self._neutral = (kind, graph)
        self._neutral[1].push(frame)
        return self._neutral[1].pull()


def fresh_copy(frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
    """A frame of the same planes, and of nothing else: no side data, type or flags.

    Args:
        frame: A decoded frame.
        pixel_format: The name of its format, or of another one with the same planes.
    """
    copy = av.VideoFrame(frame.width, frame.height, pixel_format)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        wide = min(source.line_size, target.line_size)
        rows = (np.frombuffer(plane, np.uint8) for plane in (source, target))
        there, here = (
            row.reshape(-1, plane.line_size)[: plane.height, :wide]
            for row, plane in zip(rows, (source, target), strict=True)
        )
        here[:] = there
    return copy
