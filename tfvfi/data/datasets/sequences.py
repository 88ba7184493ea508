"""Benchmarks whose samples are windows of clips: the inner frames are the true frames."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np

from tfvfi.data.datasets.known import Known
from tfvfi.data.datasets.sample import (
    Benchmark,
    Change,
    Picture,
    Sample,
    check_split,
    find_root,
)
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media import pictures

X_TEST_FRAMES, X_TEST_FACTOR = 33, 8
FULL_HD_WIDE = (2048, 1080)


def gopro(known: Known, data_dir: Path, split: str = "test") -> Benchmark | None:
    """Opens GoPro: a folder for each clip, of which every eighth frame is kept."""
    check_split(known, split)
    for above in ("", "GOPRO_Large_all", "GOPRO"):
        found = folders_in(data_dir / above / split, "GOPR*")
        if found:
            return windows(known, found, known.config["between"] + 1)
    return None


def first_windows(known: Known, data_dir: Path, halve: bool = False) -> Benchmark | None:
    """Opens the first frames of each sequence; each sequence has a folder of its own.

    Args:
        known: The benchmark; `between` is the number of frames between the two that are kept.
        data_dir: The folder.
        halve: Whether to halve the frames in both directions. Published figures are for halved
            frames, so pass True unless the files are already halved.
    """
    for place in ("val", "test", ""):
        found = folders_in(data_dir / place, "*")
        if found:
            factor = known.config["between"] + 1
            return windows(known, found, factor, at_most=1, change=_halved if halve else None)
    return None


def x_test(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens X-TEST: of 33 frames per scene at 1000 fps, the first, the last and every fourth."""
    root = find_root(data_dir, ("test", "X-TEST/test"), "Type*/*/0000.png")
    if root is None:
        return None
    change = _to_2k if known.config["resolution"] == "2k" else None

    def sample(scene: Path) -> Sample:
        numbers = range(0, X_TEST_FRAMES, (X_TEST_FRAMES - 1) // X_TEST_FACTOR)
        frames = [Picture(scene / f"{number:04d}.png", change) for number in numbers]
        return Sample.evenly(f"{scene.parent.name}/{scene.name}", frames)

    scenes = sorted(path.parent for path in root.glob("Type*/*/0000.png"))
    return Benchmark(known.name, scenes, sample, known.published)


def frames(
    known: Known, data_dir: Path, factor: int = 2, step: int | None = None
) -> Benchmark | None:
    """Opens the pictures of a folder, or of each folder in it.

    Args:
        known: The description of "frames".
        data_dir: The folder.
        factor: Every `factor`-th frame is kept.
        step: The number of frames from one sample to the next; `factor` by default.
    """
    if not data_dir.is_dir():
        return None
    folders = [data_dir] if pictures.in_folder(data_dir) else folders_in(data_dir, "*")
    return windows(known, folders, factor, step) if folders else None


def windows(
    known: Known,
    folders: list[Path],
    factor: int,
    step: int | None = None,
    at_most: int | None = None,
    change: Change | None = None,
) -> Benchmark:
    """Returns windows of consecutive frames of each clip.

    Args:
        known: The description of the benchmark.
        folders: The folders of the clips.
        factor: The number of frames from the first to the last frame of a window.
        step: The number of frames from one window to the next; `factor` by default.
        at_most: The most windows of a clip; None for all that fit.
        change: A change to each frame, such as halving.

    Raises:
        ArgumentError: `factor` or `step` is invalid.
        InputError: All clips are too short.
    """
    step = factor if step is None else step
    if not (isinstance(factor, int) and factor >= 2 and isinstance(step, int) and step >= 1):
        raise ArgumentError(
            "`factor` is a whole number from 2 on, `step` one from 1 on; "
            f"received {factor} and {step}"
        )
    keys = []
    for folder in folders:
        paths = pictures.in_folder(folder)
        starts = range(0, len(paths) - factor, step)[:at_most]
        keys += [(folder, paths[start : start + factor + 1]) for start in starts]
    if not keys:
        raise InputError(
            f"{known.name} needs clips of at least {factor + 1} frames; those in "
            f"{folders[0].parent if len(folders) > 1 else folders[0]} have fewer"
        )
    return Benchmark(known.name, keys, partial(_window, change), known.published)


def _window(change: Change | None, key: tuple[Path, list[Path]]) -> Sample:
    folder, paths = key
    return Sample.evenly(
        f"{folder.name}/{paths[0].stem}", [Picture(path, change) for path in paths]
    )


def folders_in(root: Path, pattern: str) -> list[Path]:
    """Returns the folders inside a folder that match a pattern and hold pictures."""
    if not root.is_dir():
        return []
    found = (path for path in root.glob(pattern) if path.is_dir())
    return pictures.in_order(path for path in found if pictures.in_folder(path))


def _halved(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _to_2k(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, FULL_HD_WIDE, interpolation=cv2.INTER_AREA)
