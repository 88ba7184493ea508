"""Writes the optical flow between frames while they are interpolated."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfvfi.errors import InputError
from tfvfi.flow.estimator import FlowEstimator
from tfvfi.flow.flo import write_flo
from tfvfi.video.timeline import Span


def with_flows(spans: Iterator[Span], estimator: FlowEstimator, folder: Path) -> Iterator[Span]:
    """Yields the spans and writes the flow of each pair: 00000000.flo, 00000001.flo, ...

    Args:
        spans: The spans of a video.
        estimator: See `tfvfi.flow.estimator.estimator_in`.
        folder: The folder for the files.

    Raises:
        InputError: A file cannot be written.
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
