"""The videos that records are made of: found by folder or pattern, opened as upright RGB frames."""

import glob
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from tfvfi.errors import InputError

# What a folder is searched for; a pattern takes whatever it matches.
ENDINGS = re.compile(
    r"\.(3gp|26[45]|avi|flv|gif|h26[45]|hevc|ivf|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|obu|og[gv]|ts"
    r"|vob|webm|wmv|y4m)",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Clip:
    """A video file.

    Attributes:
        name: Its name in the records: the path below the folder, whatever characters it had.
        path: Where it is.
        bytes: Its size.
        modified: When it was changed, in nanoseconds.
    """

    name: str
    path: str
    bytes: int
    modified: int

    def key(self, settings: str) -> str:
        """A file name that stands for this state of the clip, treated with these settings."""
        state = f"{self.name}\0{self.bytes}\0{self.modified}\0{settings}"
        return hashlib.sha256(state.encode()).hexdigest()[:32]


def find(videos: str) -> list[Clip]:
    """The clips in a folder and those below it, or those that a pattern matches, by name.

    Args:
        videos: A folder, a file, or a pattern such as `clips/*.mp4` or `clips/**/*`.
    """
    if os.path.isdir(videos):
        root = videos
        found = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(videos)
            for name in names
            if ENDINGS.fullmatch(os.path.splitext(name)[1])
        ]
    else:
        found = [videos] if os.path.isfile(videos) else glob.glob(videos, recursive=True)
        found = [path for path in found if os.path.isfile(path)]
        root = os.path.commonpath([os.path.dirname(path) for path in found]) if found else ""
    if not found:
        raise InputError(
            f"--videos is a folder of videos, or a pattern in quotes that matches some. "
            f"Received: {_text(videos)}"
        )
    return sorted(_clip(path, root or os.curdir) for path in found)


def frames(clip: Clip, damaged: str = "stop") -> Iterator[tuple[np.ndarray, Fraction]]:
    """The frames as a player shows them, RGB, 8 bits, and the times at which it does.

    One after another: none is held. `InputError` if the file is damaged; where `damaged` is
    "keep", only if nothing of it can be read.
    """
    from tfvfi.video.source import Video

    video = Video(Path(clip.path), damaged)
    turns = round(video.look.rotation / 90) % 4
    for shown in video:
        yield _upright(_eight_bits(shown.image), turns), shown.time


def _clip(path: str, root: str) -> Clip:
    state = os.stat(path)
    name = _text(os.path.relpath(path, root).replace(os.sep, "/"))
    # Absolute, so that a name such as "http:x.mp4" is not taken for an address.
    return Clip(name, os.path.abspath(path), state.st_size, state.st_mtime_ns)


def _text(name: str) -> str:
    """A file name as Unicode text, also where its bytes are none."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=255 / 65535)


def _upright(image: np.ndarray, turns: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
