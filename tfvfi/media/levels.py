"""The range of the values in a frame."""

import numpy as np


def white(dtype: np.dtype) -> float:
    """Returns the largest value of a color for a type."""
    return 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)
