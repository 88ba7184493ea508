"""Writes frames to an H.264 file that every browser plays, which is all that a report needs.

`tfvfi.video` writes other videos, with more codecs, sound, variable rates and unchanged color.
"""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# FFmpeg's number of BT.709 for the matrix, the primaries and the transfer.
BT709 = 1


class Clip:
    """A video that appears under its name when it is complete.

    Args:
        path: The file to write, which must end in .mp4.
        size: Height and width.
        fps: Frames per second.
        crf: The quality; lower is better.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction, crf: int = 18):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.aside = path.with_name(f".{path.stem}.partial{path.suffix}")
        self.container = av.open(str(self.aside), "w", options={"movflags": "faststart"})
        self.stream = self.container.add_stream("libx264", rate=fps, options={"crf": str(crf)})
        context = self.stream.codec_context
        context.height, context.width = size
        # Chroma subsampling requires even sides.
        context.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        context.colorspace = context.color_primaries = context.color_trc = BT709

    def write(self, image: np.ndarray) -> None:
        """Appends a frame, uint8 or uint16."""
        form = "rgb24" if image.dtype == np.uint8 else "rgb48le"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=form)
        pixel_format = self.stream.codec_context.pix_fmt
        self.container.mux(
            self.stream.encode(frame.reformat(format=pixel_format, dst_colorspace=BT709))
        )

    def finish(self) -> None:
        """Completes the file and renames it to its final name."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        os.replace(self.aside, self.path)

    def discard(self) -> None:
        """Removes the incomplete file."""
        self.container.close()
        self.aside.unlink(missing_ok=True)
