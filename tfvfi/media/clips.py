"""What records are made of: videos and folders of frames, opened as upright RGB frames."""

import glob
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media import pictures

# What a folder is searched for; a pattern takes whatever it matches.
ENDINGS = re.compile(
    r"\.(3gp|26[45]|avi|flv|gif|h26[45]|hevc|ivf|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|obu|og[gv]|ts"
    r"|vob|webm|wmv|y4m)",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Clip:
    """A video file, or a folder of frames.

    Attributes:
        name: Its name in the records: the path below the folder, whatever characters it had.
        path: Where it is.
        bytes: Its size, or that of all frames.
        modified: When it was last changed, in nanoseconds.
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

    A folder that holds pictures and no videos is a clip, and the pictures are its frames.

    Args:
        videos: A folder, a file, or a pattern such as `clips/*.mp4` or `clips/**/*`.
    """
    if os.path.isdir(videos):
        root = videos
        found = [path for folder, _, names in os.walk(videos) for path in _in_folder(folder, names)]
    else:
        matched = [videos] if os.path.isfile(videos) else glob.glob(videos, recursive=True)
        found = [path for path in matched if os.path.isfile(path) and not pictures.is_picture(path)]
        found += [path for path in matched if _is_folder_of_frames(path)]
        root = os.path.commonpath([os.path.dirname(path) for path in found]) if found else ""
    if not found:
        raise InputError(
            "`videos` is a folder of videos or of frames, or a pattern in quotes that matches "
            f"some. Received: {_text(videos)}"
        )
    return sorted(_clip(path, root or os.curdir) for path in found)


def frames(clip: Clip, damaged: str = "stop") -> Iterator[tuple[np.ndarray, Fraction]]:
    """The frames as a player shows them, RGB, 8 bits, and the times at which it does.

    One after another: none is held. `InputError` if the clip cannot be read, or is damaged; where
    `damaged` is "keep", only if nothing of it can be read.
    """
    from tfvfi.media.sequence import Pictures
    from tfvfi.media.source import Video

    path = Path(clip.path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # A pipe, say, from which nothing may ever come.
        raise InputError(f"{path} is neither a file nor a folder")
    try:
        if path.is_dir():
            source = Pictures(pictures.in_folder(path), damaged)
        else:
            # Other processes read other clips; and all frames of a clip are as much darker.
            source = Video(path, damaged, threads=1, exact=False)
        turns = round(source.look.rotation / 90) % 4
        for shown in source:
            yield _upright(_eight_bits(shown.image), turns), shown.time
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{clip.path} cannot be read: {error.strerror}") from None


def is_video(path: str | Path) -> bool:
    """Whether a file is a video by its name."""
    return bool(ENDINGS.fullmatch(Path(path).suffix)) and not pictures.is_shadow(path)


def _in_folder(folder: str, names: list[str]) -> list[str]:
    """The videos in a folder; where there are none but pictures, the folder itself."""
    videos = [name for name in names if is_video(name)]
    if not videos and any(map(pictures.is_picture, names)):
        return [folder]
    return [os.path.join(folder, name) for name in videos]


def _is_folder_of_frames(path: str) -> bool:
    return os.path.isdir(path) and _in_folder(path, os.listdir(path)) == [path]


def _clip(path: str, root: str) -> Clip:
    name = os.path.relpath(path, root)
    if name == os.curdir:
        name = os.path.basename(os.path.abspath(path))
    # Absolute, so that a name such as "http:x.mp4" is not taken for an address.
    return Clip(_text(name.replace(os.sep, "/")), os.path.abspath(path), *_state(path))


def _state(path: str) -> tuple[int, int]:
    """Size and time of change; zeros where a link leads nowhere, which reading it will tell."""
    files = [entry.path for entry in os.scandir(path)] if os.path.isdir(path) else [path]
    try:
        states = [os.stat(file) for file in files]
    except OSError:
        return 0, 0
    return sum(one.st_size for one in states), max(one.st_mtime_ns for one in states)


def _text(name: str) -> str:
    """A file name as Unicode text, also where its bytes are none."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=255 / 65535)


def _upright(image: np.ndarray, turns: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
