"""Benchmarks whose samples are windows of clips: some frames are kept, those between are true."""

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
    """Every eighth frame is kept; a folder for each clip."""
    check_split(known, split)
    for above in ("", "GOPRO_Large_all", "GOPRO"):
        found = folders_in(data_dir / above / split, "GOPR*")
        if found:
            return windows(known, found, known.config["between"] + 1)
    return None


def first_windows(known: Known, data_dir: Path, halve: bool = False) -> Benchmark | None:
    """The first frames of each sequence, which has a folder of its own.

    Args:
        known: `between` frames lie between the two that are kept.
        data_dir: The folder.
        halve: Halve the frames in both directions. The published figures are of halved ones, so
            say it unless the files are halved already.
    """
    for place in ("val", "test", ""):
        found = folders_in(data_dir / place, "*")
        if found:
            factor = known.config["between"] + 1
            return windows(known, found, factor, at_most=1, change=_halved if halve else None)
    return None


def x_test(known: Known, data_dir: Path) -> Benchmark | None:
    """33 frames a scene at 1000 fps: the first and the last are kept, every fourth between."""
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
    """The pictures of a folder, or of each folder in it.

    Args:
        known: What is known of it.
        data_dir: The folder.
        factor: Every `factor`-th frame is kept.
        step: How many frames on the next sample begins; `factor` by default.
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
    """`factor` + 1 frames in a row, every `step` frames, as far as each clip goes."""
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
    """The folders in one that hold pictures."""
    if not root.is_dir():
        return []
    found = (path for path in root.glob(pattern) if path.is_dir())
    return pictures.in_order(path for path in found if pictures.in_folder(path))


def _halved(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _to_2k(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, FULL_HD_WIDE, interpolation=cv2.INTER_AREA)
