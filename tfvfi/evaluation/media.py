"""Writes predictions as pictures and videos, in the usual layout of Super SloMo's evaluation.

Pictures are `images/<sample>/<name>-<NN>-<model>.png`. Predictions have NN = 01, 02, ... and the
names of the true frames; the two given frames have NN = 00 and the number after the last
prediction, and end in `ground_truth`. Videos are `videos/<clip>.mp4`, which show the given frames
with the predictions between them.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tfvfi.errors import ArgumentError
from tfvfi.evaluation.clip import Clip
from tfvfi.evaluation.loaded import Loaded
from tfvfi.evaluation.prediction import rounded
from tfvfi.evaluation.protocols import Rounding

# The mark on predictions consists of a blue, a green and a red square in a row.
MARK = ((0, 0, 255), (0, 255, 0), (255, 0, 0))
MARK_SIDE = 8


@dataclass(frozen=True)
class Media:
    """The pictures and videos to write in addition to the results.

    Attributes:
        images: Whether to write pictures of predictions and given frames.
        video: Whether to write a video of each clip.
        fps: Frames per second of the videos.
        mark: Whether to draw a small mark on the predicted frames of the videos.
    """

    images: bool = False
    video: bool = False
    fps: Fraction = Fraction(24)
    mark: bool = False


class Sinks:
    """Writes the pictures and videos of `Media`, sample by sample.

    Consecutive samples of a clip, where the first frame of each is the second frame of the one
    before, share a video. A video appears when it is complete. If it is missing, all samples of the
    clip are predicted again, even if their results are known.

    Args:
        folder: The folder for `images/` and `videos/`.
        media: What to write.
        label: The label of the network, for file names.
        rounding: How predictions are rounded before they are measured; files are rounded alike.
    """

    def __init__(self, folder: Path, media: Media, label: str, rounding: Rounding = "nearest"):
        self.folder = folder
        self.media = media
        self.label = label
        self.rounding: Rounding = "nearest" if rounding == "none" else rounding
        self.video: Clip | None = None
        self._last: Any = None
        self._redo = False
        self._previous: Any = None

    def wants(self, sample: Any) -> bool:
        """Returns whether files of a sample are missing. It must be called in order of samples."""
        if self.media.video and not follows(self._previous, sample):
            self._redo = not self._video_path(sample).exists()
        self._previous = sample
        return (self.media.video and self._redo) or (
            self.media.images and not self._pictures(sample)[-1].exists()
        )

    def write(self, loaded: Loaded, frames: list[np.ndarray]) -> None:
        """Writes the files of a sample."""
        dtype = loaded.pair[0].dtype
        predicted = [rounded(frame, self.rounding, dtype) for frame in frames]
        if self.media.images:
            first, *between, last = self._pictures(loaded.sample)
            for path, image in zip(between, predicted, strict=True):
                _write_png(path, image)
            _write_png(first, loaded.pair[0])
            _write_png(last, loaded.pair[1])
        if self.media.video:
            self._extend(loaded, predicted)

    def _extend(self, loaded: Loaded, predicted: list[np.ndarray]) -> None:
        if not follows(self._last, loaded.sample):
            self._finish()
            self._start(loaded)
        if self.media.mark:
            predicted = [marked(frame) for frame in predicted]
        for image in (*predicted, loaded.pair[1]):
            self.video.write(image)
        self._last = loaded.sample

    def _start(self, loaded: Loaded) -> None:
        size = loaded.pair[0].shape[:2]
        self.video = Clip(self._video_path(loaded.sample), size, self.media.fps)
        self.video.write(loaded.pair[0])

    def _finish(self) -> None:
        if self.video is not None:
            self.video.finish()
            self.video = None

    def __enter__(self) -> "Sinks":
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind is None:
            self._finish()
        elif self.video is not None:
            self.video.discard()

    def _video_path(self, sample: Any) -> Path:
        return self.folder / "videos" / f"{safe(sample.name).as_posix()}.mp4"

    def _pictures(self, sample: Any) -> list[Path]:
        clip = self.folder / "images" / safe(sample.name)
        digits = max(2, len(str(len(sample.targets) + 1)))
        frames = [(sample.frame0, "ground_truth")]
        frames += [(target, self.label) for target in sample.targets]
        frames += [(sample.frame1, "ground_truth")]
        return [
            clip / f"{safe(frame.name).as_posix()}-{number:0{digits}d}-{who}.png"
            for number, (frame, who) in enumerate(frames)
        ]


def rate(text: str) -> Fraction:
    """Returns the frames per second given as "24" or "24000/1001"."""
    try:
        found = Fraction(text)
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if found <= 0:
        raise ArgumentError(f"`fps` is a rate such as 24 or 24000/1001. Received: {text}")
    return found


def follows(before: Any, sample: Any) -> bool:
    """Returns whether a sample begins with the last frame of the one before, in the same clip."""
    return (
        before is not None
        and "/" in sample.name
        and before.name.rpartition("/")[0] == sample.name.rpartition("/")[0]
        and before.frame1.name == sample.frame0.name
    )


def safe(name: str) -> Path:
    """Returns a name from a dataset as a relative path that cannot leave its folder."""
    parts = [re.sub(r"[^\w.\- ]", "_", part).strip(". ") for part in name.split("/")]
    return Path(*(part or "_" for part in parts))


def marked(frame: np.ndarray) -> np.ndarray:
    """Returns a copy of a frame with the mark in its upper left corner."""
    frame = frame.copy()
    white = np.iinfo(frame.dtype).max // 255
    for at, color in enumerate(MARK):
        columns = slice(MARK_SIDE * at, MARK_SIDE * (at + 1))
        frame[:MARK_SIDE, columns] = np.array(color, frame.dtype) * white
    return frame


def _write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    _, data = cv2.imencode(".png", image[..., ::-1])
    data.tofile(aside)
    aside.replace(path)
