"""Changes of color without changes of position; frames are 0 to 255, and are clipped to that."""

import numpy as np

# The weights of red, green and blue in gray, as in ITU-R BT.601.
GRAY = np.float32([0.299, 0.587, 0.114])


def gamma(frame: np.ndarray, g: float) -> np.ndarray:
    """Raises brightness to the power 1 / g.

    Example:
        >>> import numpy as np
        >>> float(gamma(np.full((1, 1, 3), 63.75), 2)[0, 0, 0])
        127.5
    """
    return _within(255 * (frame.astype(np.float32) / 255) ** (1 / g))


def gain(frame: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Multiplies each channel by its own factor."""
    return _within(frame * np.asarray(gains, np.float32))


def contrast(frame: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies the distance of each pixel from the frame's mean gray."""
    frame = frame.astype(np.float32)
    mean = (frame @ GRAY).mean()
    return _within(mean + factor * (frame - mean))


def saturation(frame: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies the distance of each pixel from its own gray.

    The published loader multiplies green and blue where it should add them; gray is correct here.
    """
    frame = frame.astype(np.float32)
    gray = (frame @ GRAY)[..., None]
    return _within(gray + factor * (frame - gray))


def _within(frame: np.ndarray) -> np.ndarray:
    return np.clip(frame, 0, 255).astype(np.float32, copy=False)
