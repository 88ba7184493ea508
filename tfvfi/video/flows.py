"""The optical flow that frames were made by, written out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.flow.flo import write_flo
from tfvfi.video.timeline import Span

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


def with_flows(spans: Iterator[Span], estimate: Estimate, folder: Path) -> Iterator[Span]:
    """Writes the flow of each pair of frames as it comes by: 00000000.flo, 00000001.flo, ...

    Args:
        spans: Of a video.
        estimate: See `flow_of`.
        folder: Where the files go.
    """
    number = 0
    for span in spans:
        # A pause begins and ends with the same frame.
        if span.second is not None and span.second is not span.first:
            pair = (np.ascontiguousarray(frame[..., :3]) for frame in (span.first, span.second))
            path = folder / f"{number:08d}.flo"
            try:
                write_flo(path, estimate(*pair))
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror}") from None
            number += 1
        yield span
