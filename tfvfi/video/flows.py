"""The optical flow that frames were made by, written out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.data.flo import write_flo
from tfvfi.errors import InputError
from tfvfi.video.paint import Plan


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


def with_flows(plans: Iterator[Plan], network: Any, folder: Path) -> Iterator[Plan]:
    """Writes the flow of each pair of frames as it comes by: 00000000.flo, 00000001.flo, ...

    Args:
        plans: Spans of a video.
        network: See `write_flow`.
        folder: Where the files go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number, before = 0, None
    for plan in plans:
        span = plan.span
        if span.second is not None and span.first is not before:
            pair = (np.ascontiguousarray(frame[..., :3]) for frame in (span.first, span.second))
            write_flow(network, *pair, folder / f"{number:08d}.flo")
            number, before = number + 1, span.first
        yield plan
