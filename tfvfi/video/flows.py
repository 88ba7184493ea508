"""The optical flow that frames were made by, written out."""

from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.data.flo import write_flo
from tfvfi.errors import InputError


def write_flow(network: Any, first: np.ndarray, second: np.ndarray, path: Path) -> None:
    """Writes the flow from one frame to the next as a .flo file.

    Args:
        network: An interpolator that paints by flow, or a flow estimator.
        first: H x W x 3, where the flow starts.
        second: Where it leads.
        path: The file.

    Raises:
        InputError: The network has no flow of whole frames.
    """
    estimate = getattr(getattr(network, "estimator", network), "estimate", None)
    if estimate is None:
        raise InputError(
            f"{getattr(network, 'name', 'this network')} has no flow from frame to frame that "
            "could be written; flow_interpolation and softsplat have"
        )
    write_flo(path, estimate(first, second))
