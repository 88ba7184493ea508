"""Frames as an H.264 file that every browser plays; what a report needs, and no more.

`tfvfi.video` writes videos for keeping: other codecs, sound, uneven clocks, color as it was.
"""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# BT.709, as FFmpeg numbers it, for the matrix, the primaries and the transfer.
BT709 = 1


class Clip:
    """A video that appears under its name when it is complete.

    Args:
        path: Ends in .mp4.
        size: Height and width.
        fps: Frames a second.
        crf: Quality, lower is better.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction, crf: int = 18):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.aside = path.with_name(f".{path.stem}.partial{path.suffix}")
        self.container = av.open(str(self.aside), "w", options={"movflags": "faststart"})
        self.stream = self.container.add_stream("libx264", rate=fps, options={"crf": str(crf)})
        context = self.stream.codec_context
        context.height, context.width = size
        # Half the color resolution needs even sides.
        context.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        context.colorspace = context.color_primaries = context.color_trc = BT709

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, uint8 or uint16."""
        form = "rgb24" if image.dtype == np.uint8 else "rgb48le"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=form)
        pixel_format = self.stream.codec_context.pix_fmt
        self.container.mux(
            self.stream.encode(frame.reformat(format=pixel_format, dst_colorspace=BT709))
        )

    def finish(self) -> None:
        """Completes the file and lets it appear."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        os.replace(self.aside, self.path)

    def discard(self) -> None:
        """Leaves nothing."""
        self.container.close()
        self.aside.unlink(missing_ok=True)
