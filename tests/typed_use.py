"""What users write, as mypy sees it: `make lint` checks that the public names have these types."""

from pathlib import Path

import numpy as np

import tfvfi
from tfvfi.registry import ModelSpec


def interpolate(frame0: np.ndarray, frame1: np.ndarray) -> list[np.ndarray]:
    """One pair, by the default network."""
    return tfvfi.interpolate(frame0, frame1, times=(0.25, 0.5))


def smoother(clip: Path, folder: Path) -> int:
    """A video and its number of frames."""
    spec = ModelSpec.parse("flow_interpolation,flow=dis")
    return tfvfi.interpolate_video(clip, folder / "out.mp4", spec, factor=4, overwrite=True)


def estimated(frame0: np.ndarray, frame1: np.ndarray) -> np.ndarray:
    """The flow of one pair."""
    return ModelSpec("dis").load_estimator().estimate(frame0, frame1)
