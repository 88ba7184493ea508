"""Renders pictures and videos that show the effect of interpolation."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tfvfi.media.source import Video
from tfvfi.video.writing.copier import Copier
from tfvfi.video.writing.encoder import Encoder
from tfvfi.video.writing.encoding import CONTAINERS, Encoding
from tfvfi.video.writing.segments import Parts
from tfvfi.video.writing.video_file import VideoFile
from tfvfi.video.writing.webp import write_webp

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
MARGIN = 8
# The animation is for a page: small enough to load at once.
SHOWN_WIDTH, SHOWN_QUALITY = 960, 80


def side_by_side(original: Path, smooth: Path, output: Path) -> None:
    """Writes a video that shows the original, with held frames, beside its interpolated version.

    Args:
        original: The source video.
        smooth: The interpolated video.
        output: The video to write, which is twice as wide.
    """
    before, after = Video(original), Video(smooth)
    height, width = before.size
    size = (height, 2 * width)
    codec = CONTAINERS[output.suffix]
    encoder = Encoder(codec, Encoding(), after.look, size, after.time_base, after.rate)
    sink = VideoFile(
        output,
        encoder,
        Parts(output, None),
        lambda target: Copier(smooth, target, after.stream, after.origin, after.start),
    )
    try:
        sources = iter(before)
        held, upcoming = next(sources), next(sources, None)
        for shown in after:
            while upcoming is not None and upcoming.time <= shown.time:
                held, upcoming = upcoming, next(sources, None)
            pair = [label(held.image, "original"), label(shown.image, "interpolated")]
            sink.write(np.concatenate(pair, axis=1), shown.time, 1 / after.rate)
        sink.finish()
    except BaseException:
        sink.discard()
        raise


def contact_sheet(rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str], path: Path) -> None:
    """Writes a PNG with a row of frames for each pair: the first, those between, the second.

    Args:
        rows: Frames of equal size.
        titles: The title of each column.
        path: The picture to write.
    """
    sheet = np.concatenate(
        [
            np.concatenate([_framed(label(image, text)) for image, text in columns], axis=1)
            for columns in (zip(row, titles, strict=True) for row in rows)
        ]
    )
    _, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    data.tofile(path)


def before_after(
    frames: Sequence[np.ndarray], seconds: Fraction, factor: int, network: Any, path: Path
) -> None:
    """Writes an animated WebP of frames at a low rate beside the frames that a network renders.

    Args:
        frames: Consecutive frames; every `factor`-th is kept and the network renders the rest.
        seconds: How long each frame is shown.
        factor: The factor by which the rate on the left is lower.
        network: Anything with `interpolate(frame0, frame1, times)`.
        path: The animation to write.
    """
    kept = frames[::factor]
    times = [number / factor for number in range(1, factor)]
    shown = []
    for frame0, frame1 in pairwise(kept):
        for rendered in (frame0, *network.interpolate(frame0, frame1, times)):
            pair = [label(frame0, "before"), label(rendered, "after")]
            shown.append(np.concatenate(pair, axis=1))
    height, width = shown[0].shape[:2]
    small = [
        cv2.resize(pair, (SHOWN_WIDTH, height * SHOWN_WIDTH // width), interpolation=cv2.INTER_AREA)
        for pair in shown
    ]
    quality = [cv2.IMWRITE_WEBP_QUALITY, SHOWN_QUALITY]
    stills = (cv2.imencode(".webp", pair[..., ::-1], quality)[1].tobytes() for pair in small)
    write_webp(path, stills, [round(1000 * seconds)] * len(small), small[0])


def label(image: np.ndarray, text: str) -> np.ndarray:
    """Returns a copy of the frame with a label in its corner."""
    labelled = image.copy()
    scale = max(0.4, image.shape[0] / 600)
    corner = (MARGIN, MARGIN + round(24 * scale))
    for color, thickness in ((BLACK, 4), (WHITE, 1)):
        cv2.putText(
            labelled,
            text,
            corner,
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            color,
            max(1, round(thickness * scale * 1.5)),
            cv2.LINE_AA,
        )
    return labelled


def _framed(image: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(image, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=WHITE)
