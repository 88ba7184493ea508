"""What many tests need: real frames."""

from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def clip_frames() -> list[np.ndarray]:
    """The frames of the sample clip, uint8."""
    import av

    with av.open(str(ROOT / "samples" / "clip.mp4")) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


@pytest.fixture(scope="session")
def half_frames(clip_frames) -> list[np.ndarray]:
    """The same at half the size, where the clip's blur is gone."""
    return [
        cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for frame in clip_frames
    ]


@pytest.fixture(scope="session")
def triplet(clip_frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three consecutive real frames: first, the true middle, second."""
    return tuple(clip_frames[4:7])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of 8-bit frames, in dB."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))
