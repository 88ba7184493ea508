"""The input frames for every engine, which show a moving texture."""

import numpy as np

MOTION = 6.0


def arrays(height: int, width: int, with_time: bool) -> list[np.ndarray]:
    """Returns two frames, (1, height, width, 3), and if `with_time` also the time 0.5."""
    frames = [texture(height, width, shift) for shift in (0.0, MOTION)]
    return frames + [np.array([0.5], "float32")] * with_time


def texture(height: int, width: int, shift: float) -> np.ndarray:
    """Returns a picture with detail everywhere, moved to the right by `shift` pixels."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype("float32")
    picture = np.zeros((height, width, 3), "float32")
    for wave in range(8):
        across, down, phase = draw.normal(0, 0.04 * 2 ** (wave / 2), 3)
        color = draw.uniform(-1, 1, 3).astype("float32")
        picture += np.sin(across * (x - shift) + down * y + 100 * phase)[..., None] * color
    return (0.5 + 0.5 * np.tanh(picture / 2))[None].astype("float32")
