"""Finds the clips from which records are made, and reads them as upright RGB frames."""

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

# The endings of the videos that are found in a folder; a pattern takes every file that it matches.
ENDINGS = re.compile(
    r"\.(3gp|26[45]|avi|flv|gif|h26[45]|hevc|ivf|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|obu|og[gv]|ts"
    r"|vob|webm|wmv|y4m)",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Clip:
    """A video file, or a folder of frames.

    Attributes:
        name: Its name in the records: its path below the folder, as valid Unicode text.
        path: The path of the file or folder.
        bytes: The size of the file, or of all frames.
        modified: The time of the last modification, in nanoseconds.
    """

    name: str
    path: str
    bytes: int
    modified: int

    def key(self, settings: str) -> str:
        """Returns a file name that identifies this state of the clip and the settings."""
        state = f"{self.name}\0{self.bytes}\0{self.modified}\0{settings}"
        return hashlib.sha256(state.encode()).hexdigest()[:32]


def find(videos: str) -> list[Clip]:
    """Returns the clips in and below a folder, or those that a pattern matches, sorted by name.

    A folder that holds pictures but no videos is a clip, and the pictures are its frames.

    Args:
        videos: A folder, a file, or a pattern such as `clips/*.mp4` or `clips/**/*`.

    Raises:
        InputError: No clip was found.
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
    """Yields the frames as a player shows them, as 8-bit RGB, and their times.

    Only one frame is in memory at a time.

    Args:
        clip: The clip.
        damaged: With "stop", damage is an error; with "keep", what can be decoded is used.

    Raises:
        InputError: The clip cannot be read, or it is damaged and `damaged` is "stop".
    """
    from tfvfi.media.sequence import Pictures
    from tfvfi.media.source import Video

    path = Path(clip.path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # Reading from a pipe, for example, could wait for ever.
        raise InputError(f"{path} is neither a file nor a folder")
    try:
        if path.is_dir():
            source = Pictures(pictures.in_folder(path), damaged)
        else:
            # The fast conversion is enough, because it darkens all frames of a clip equally.
            source = Video(path, damaged, exact=False)
        turns = round(source.look.rotation / 90) % 4
        for shown in source:
            yield _upright(_eight_bits(shown.image), turns), shown.time
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{clip.path} cannot be read: {error.strerror}") from None


def is_video(path: str | Path) -> bool:
    """Returns whether a file is a video, judging by its name."""
    return bool(ENDINGS.fullmatch(Path(path).suffix)) and not pictures.is_shadow(path)


def _in_folder(folder: str, names: list[str]) -> list[str]:
    """Returns the videos in a folder, or the folder itself if it holds only pictures."""
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
    # The path is absolute, so that a name such as "http:x.mp4" is not taken for an address.
    return Clip(_text(name.replace(os.sep, "/")), os.path.abspath(path), *_state(path))


def _state(path: str) -> tuple[int, int]:
    """Returns size and modification time; zeros for a broken link, which fails when it is read."""
    files = [entry.path for entry in os.scandir(path)] if os.path.isdir(path) else [path]
    try:
        states = [os.stat(file) for file in files]
    except OSError:
        return 0, 0
    return sum(one.st_size for one in states), max(one.st_mtime_ns for one in states)


def _text(name: str) -> str:
    """Returns a file name as valid Unicode text, even if its bytes are not valid."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=255 / 65535)


def _upright(image: np.ndarray, turns: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
