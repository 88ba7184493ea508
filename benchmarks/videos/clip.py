"""Makes clips of real content at any size and length."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.source import Video

# Settings of the encoder: quick, and good enough to keep the content's noise.
ENCODER = {"crf": "14", "preset": "veryfast"}


def enlarged(source: Path, path: Path, size: tuple[int, int], frames: int) -> Path:
    """Writes the beginning of a clip at another size, in 8-bit H.264, and returns the path.

    Args:
        source: The clip. If it is too short, it runs back and forth.
        path: The file to write.
        size: The width and height.
        frames: The number of frames.
    """
    video = Video(source)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=video.rate, options=ENCODER)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for image in islice(_back_and_forth(video, frames), frames):
            larger = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(larger, "rgb24")))
        out.mux(stream.encode(None))
    return path


def _back_and_forth(video: Video, frames: int) -> Iterator[np.ndarray]:
    kept = [_eight_bits(shown.image) for shown in islice(video.frames(), frames)]
    if len(kept) < 2:
        raise InputError(f"{video.path} holds one frame; a clip needs two")
    yield from cycle([*kept, *kept[-2:0:-1]])


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
