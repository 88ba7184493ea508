"""Pictures that show what records contain: random samples, and a histogram of their motion."""

from collections.abc import Sequence

import cv2
import numpy as np

from tfvfi.data import codecs
from tfvfi.data.records import Example
from tfvfi.media import pictures

SAMPLES, COLUMNS = 48, 6
THUMBNAIL, GAP, MARGIN, CAPTION = 96, 2, 8, 14
FONT = cv2.FONT_HERSHEY_SIMPLEX
PAPER, INK, OFFERED, TAKEN = (255,) * 3, (40,) * 3, (190, 200, 210), (30, 100, 180)


def sheet(examples: Sequence[Example]) -> bytes:
    """Returns a PNG of samples: their first, middle and last frame and the video's name."""
    cell = np.array([THUMBNAIL + CAPTION + MARGIN, 3 * THUMBNAIL + 2 * GAP + MARGIN])
    columns = min(COLUMNS, len(examples))
    rows = -(-len(examples) // columns)
    canvas = np.full((*(cell * (rows, columns) + MARGIN), 3), PAPER, np.uint8)
    for number, example in enumerate(examples):
        top, left = cell * divmod(number, columns) + MARGIN
        for place, frame in enumerate((0, len(example.frames) // 2, -1)):
            start = left + place * (THUMBNAIL + GAP)
            image = _thumbnail(example.frames[frame])
            canvas[top : top + THUMBNAIL, start : start + THUMBNAIL] = image
        caption = f"{example.source[-34:]}  {example.start}"
        _write(canvas, caption, left, top + THUMBNAIL + CAPTION - 4)
    return codecs.encode_image(canvas)


def motion_histogram(looked_at: Sequence[int], taken: Sequence[int]) -> bytes:
    """Returns a PNG with histograms of the motion of candidate patches and of taken patches.

    Args:
        looked_at: Counts of candidates in bins of one pixel; the last bin holds all longer motion.
        taken: Counts of taken patches in the same bins.
    """
    height, width, left, bottom = 300, 720, 40, 40
    canvas = np.full((height, width, 3), PAPER, np.uint8)
    step = (width - 2 * left) // len(taken)
    for counts, color, share in ((looked_at, OFFERED, 1.0), (taken, TAKEN, 0.6)):
        for number, part in enumerate(np.divide(counts, max(1, sum(counts)))):
            full = max(max(np.divide(c, max(1, sum(c)))) for c in (looked_at, taken))
            tall = round(part / full * (height - bottom - 50))
            corner = (left + number * step, height - bottom - tall)
            end = (left + number * step + round(share * (step - 2)), height - bottom)
            cv2.rectangle(canvas, corner, end, color, cv2.FILLED)
    for number in range(0, len(taken), 5):
        more = "+" if number == len(taken) - 1 else ""
        _write(canvas, f"{number}{more}", left + number * step, height - bottom + 16)
    _write(canvas, "mean length of flow over two frames, pixels", left, height - 8)
    for line, (counts, color, what) in enumerate(
        ((looked_at, OFFERED, "looked at"), (taken, TAKEN, "taken"))
    ):
        cv2.rectangle(
            canvas, (width - 230, 12 + 18 * line), (width - 218, 22 + 18 * line), color, -1
        )
        _write(canvas, f"{what}: {sum(counts)} patches", width - 210, 22 + 18 * line)
    return codecs.encode_image(canvas)


def _thumbnail(data: bytes) -> np.ndarray:
    size = (THUMBNAIL, THUMBNAIL)
    return cv2.resize(pictures.decode(data), size, interpolation=cv2.INTER_AREA)


def _write(canvas: np.ndarray, text: str, x: int, y: int) -> None:
    # OpenCV can draw only ASCII.
    ascii_text = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    cv2.putText(canvas, ascii_text, (int(x), int(y)), FONT, 0.36, INK, 1, cv2.LINE_AA)
