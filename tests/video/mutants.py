"""Files that were damaged on purpose, from a seed: the same ones every time."""

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tests.video.clips import Fade, write
from tfvfi.video import interpolate_video

FRAMES, SIZE = 12, (48, 64)
# Container, codec and pixel format of the whole videos; whether they have sound.
VIDEOS = (
    ("mp4", "libx264", "yuv420p", True),
    ("mp4", "libx265", "yuv420p", False),
    ("mov", "prores_ks", "yuv422p10le", False),
    ("mkv", "libx264", "yuv420p", True),
    ("mkv", "ffv1", "bgr0", False),
    ("webm", "libvpx-vp9", "yuv420p", False),
    ("mp4", "libsvtav1", "yuv420p", False),
    ("avi", "mpeg4", "yuv420p", True),
    ("avi", "mjpeg", "yuvj420p", False),
    ("ts", "mpeg2video", "yuv420p", True),
    ("flv", "flv", "yuv420p", False),
    ("wmv", "wmv2", "yuv420p", False),
    ("gif", "gif", "bgr8", False),
    ("webp", None, None, False),
    ("apng", None, None, False),
)
# Endings and settings of the whole pictures.
PICTURES = (
    ("png", ()),
    ("jpg", ()),
    ("jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    ("tif", (cv2.IMWRITE_TIFF_COMPRESSION, 5)),
    ("tif", (cv2.IMWRITE_TIFF_COMPRESSION, 1)),
    ("bmp", ()),
    ("webp", ()),
    ("ppm", ()),
)
# Numbers that readers of files stumble over.
ODD_NUMBERS = (b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4), b"\x80\0\0\0", b"\0\0\0\1", b"\xff" * 8)


def frames() -> list[np.ndarray]:
    """A soft texture that moves."""
    noise = np.random.default_rng(1).integers(0, 256, (SIZE[0], 2 * SIZE[1], 3)).astype(np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 20, 235, cv2.NORM_MINMAX)
    return [np.ascontiguousarray(wide[:, 3 * n : 3 * n + SIZE[1]]) for n in range(FRAMES)]


def whole_videos(folder: Path) -> list[Path]:
    """One good video of every kind."""
    made = []
    for number, (ending, codec, pixel_format, sound) in enumerate(VIDEOS):
        path = folder / f"whole{number}.{ending}"
        if codec is None:
            interpolate_video(made[0], path, Fade(), 1, progress=False)
        else:
            beep = Fraction(0) if sound else None
            fast = ending == "mp4" and number % 2 == 0
            write(path, frames(), 25, None, codec, pixel_format, 0, beep, faststart=fast)
        made.append(path)
    return made


def whole_pictures(folder: Path) -> list[Path]:
    """One good picture of every kind."""
    made = []
    for number, (ending, settings) in enumerate(PICTURES):
        path = folder / f"whole{number}.{ending}"
        cv2.imencode(f".{ending}", frames()[0], settings)[1].tofile(path)
        made.append(path)
    return made


def mutant(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one kind of damage.

    Args:
        data: Of a good file.
        draw: Determines the damage.
    """
    made, length = bytearray(data), len(data)
    # The beginning, where headers are, is hurt as often as all the rest.
    at = draw.randrange(min(length, 600)) if draw.random() < 0.5 else draw.randrange(length)
    many = draw.choice((1, 2, 8, 60, 500, 3000))
    kind = draw.choice(("bit", "bytes", "zeros", "cut", "twice", "without", "noise", "number"))
    if kind == "bit":
        made[at] ^= 1 << draw.randrange(8)
    elif kind == "bytes":
        for _ in range(many):
            made[draw.randrange(length)] = draw.randrange(256)
    elif kind == "zeros":
        made[at : at + many] = bytes(len(made[at : at + many]))
    elif kind == "cut":
        del made[at:]
    elif kind == "twice":
        made[at:at] = made[at : at + many]
    elif kind == "without":
        del made[at : at + many]
    elif kind == "noise":
        made[at : at + many] = draw.randbytes(len(made[at : at + many]))
    else:
        number = draw.choice(ODD_NUMBERS)
        made[at : at + len(number)] = number
    return bytes(made)


def mutants(whole: list[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Endings and bytes of as many damaged files.

    Args:
        whole: Good files, which are damaged in turn.
        count: How many.
        seed: Determines all damage.
    """
    draw = random.Random(seed)
    contents = [path.read_bytes() for path in whole]
    for number in range(count):
        chosen = number % len(whole)
        yield whole[chosen].suffix, mutant(contents[chosen], draw)


def is_readable(path: Path) -> bool:
    """Whether an output can be read to its end."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0)) > 0
