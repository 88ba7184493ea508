"""The optical flow along which frames were made, written while they are made."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfvfi.errors import InputError
from tfvfi.flow.estimator import FlowEstimator
from tfvfi.flow.flo import write_flo
from tfvfi.video.timeline import Span


def with_flows(spans: Iterator[Span], estimator: FlowEstimator, folder: Path) -> Iterator[Span]:
    """Writes the flow of each pair of frames as it passes: 00000000.flo, 00000001.flo, ...

    Args:
        spans: Of a video.
        estimator: See `tfvfi.flow.estimator.estimator_in`.
        folder: Where the files go.
    """
    number = 0
    for span in spans:
        # A pause begins and ends with the same frame.
        if span.second is not None and span.second is not span.first:
            frame0, frame1 = (
                np.ascontiguousarray(frame[..., :3]) for frame in (span.first, span.second)
            )
            path = folder / f"{number:08d}.flo"
            try:
                write_flo(path, estimator.estimate(frame0, frame1))
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror}") from None
            number += 1
        yield span
