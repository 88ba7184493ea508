"""Pictures that tests compute; no backend is imported for them."""

import numpy as np


def texture(height: int, width: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    """A picture (1, height, width, 3) in (0, 1) with detail everywhere, moved right by `shift`."""
    draw = np.random.default_rng(seed).uniform
    y, x = np.mgrid[:height, :width].astype("float64")
    waves = [
        np.sin((x - shift) * draw(-1, 1, 3)[:, None, None] + y * draw(-1, 1) + draw(0, 6))
        for _ in range(6)
    ]
    picture = 0.5 + 0.4 * np.tanh(np.sum(waves, axis=0) / 2)
    return np.moveaxis(picture, 0, -1)[None].astype("float32")
