"""Small videos that records are made of: texture that moves to the left."""

from pathlib import Path

import cv2
import numpy as np

from tests.video import clips

SIZE, STEP = (200, 240), 6


def scene(
    count: int = 12, step: int = STEP, seed: int = 0, size: tuple[int, int] = SIZE
) -> list[np.ndarray]:
    """Frames whose content moves by so many pixels each."""
    height, width = size
    random, whole = np.random.default_rng(seed), (height, width + step * count)
    # Things of all sizes, as scenes have them.
    texture = sum(
        cv2.resize(random.random((1 + side // 8, 1 + side // 8, 3), np.float32), whole[::-1])
        for side in (12, 60, 400)
    )
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return [np.ascontiguousarray(texture[:, k * step : k * step + width]) for k in range(count)]


def write(folder: Path, count: int = 3, frames: int = 12, **settings) -> Path:
    """A folder of lossless videos scene0.mkv, scene1.mkv and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        clips.write(folder / f"scene{number}.mkv", scene(frames, seed=number), **settings)
    return folder
