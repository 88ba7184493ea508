"""What the numbers in a frame mean."""

import numpy as np


def white(dtype: np.dtype) -> float:
    """The largest value of a color."""
    return 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)
