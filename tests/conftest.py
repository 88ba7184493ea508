"""What many tests need: real frames."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def triplet() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three consecutive real frames, uint8: first, the true middle, second."""
    import av

    with av.open(str(ROOT / "samples" / "clip.mp4")) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(clip.decode(video=0), 4, 7)]
    return tuple(frames)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of 8-bit frames, in dB."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))
