"""The optical flow that frames were made by, written out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.data.flo import write_flo
from tfvfi.errors import InputError
from tfvfi.video.paint import Plan

# The flow from one frame to another, both H x W x 3.
Estimate = Callable[[np.ndarray, np.ndarray], np.ndarray]


def flow_of(network: Any) -> Estimate:
    """What estimates the flow inside a network.

    Raises:
        InputError: The network has no flow of whole frames.
    """
    estimate = getattr(network, "estimate", None)
    if estimate is None:
        raise InputError(
            f"{getattr(network, 'name', 'this network')} has no flow from frame to frame that "
            "could be written; flow_interpolation and softsplat have"
        )
    return estimate


def with_flows(plans: Iterator[Plan], estimate: Estimate, folder: Path) -> Iterator[Plan]:
    """Writes the flow of each pair of frames as it comes by: 00000000.flo, 00000001.flo, ...

    Args:
        plans: Spans of a video.
        estimate: See `flow_of`.
        folder: Where the files go.
    """
    number, before = 0, None
    for plan in plans:
        span = plan.span
        if span.second is not None and span.first is not before:
            pair = (np.ascontiguousarray(frame[..., :3]) for frame in (span.first, span.second))
            write_flo(folder / f"{number:08d}.flo", estimate(*pair))
            number, before = number + 1, span.first
        yield plan
