"""Scenes whose flow is known, and an estimator that knows it."""

import cv2
import numpy as np
from keras import ops

from tfvfi.models.base import FlowEstimator


class Known(FlowEstimator):
    """Answers with the flows it was given: there, then back."""

    traceable = False

    def __init__(self, there, back, **kwargs):
        super().__init__(**kwargs)
        self.answers = [there, back]

    def flow_at_any_size(self, frame0, frame1):
        self.answers.reverse()
        return ops.convert_to_tensor(self.answers[1][None].astype("float32"))


def smooth_noise(height: int, width: int, seed: int = 5) -> np.ndarray:
    """A picture with detail everywhere, 0 to 255."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def moving_square(square: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Three frames in which a square of 36 pixels moves right by 12 each, over a ground at rest.

    It covers rows 30 to 66 and begins at columns 40, 52 and 64.

    Returns:
        The frames, the flow from the first to the last, and the flow back.
    """
    ground, frames = smooth_noise(96, 160).astype("uint8"), []
    for left in (40, 52, 64):
        frames.append(ground.copy())
        frames[-1][30:66, left : left + 36] = square
    there, back = np.zeros((2, 96, 160, 2))
    there[30:66, 40:76, 0], back[30:66, 64:100, 0] = 24, -24
    return frames, there, back
