"""Distributes work on many videos with Apache Beam, on a cluster or on this machine."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tfvfi.data import clip_parts
from tfvfi.errors import InputError

logger = logging.getLogger(__name__)


def runner(
    name: str, arguments: Sequence[str] = (), function: Callable[..., Any] = clip_parts.make
) -> Callable[[Sequence[tuple]], Iterator[tuple[int, Any]]]:
    """Returns a function that calls `function` for each of many tasks, for `making.create`.

    Results are passed through the output folder, which all machines must be able to reach, not
    through Beam.

    Args:
        name: The name of a Beam runner.
        arguments: Flags for Beam.
        function: Writes its result to disk; called again, it returns the result found there.

    Raises:
        InputError: Apache Beam is not installed. The returned function raises it if Beam refuses
            the runner or the work fails.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        raise InputError(
            "`runner` needs Apache Beam; install it by: pip install 'tfvfi[beam]' (or apache-beam)"
        ) from None

    def run(tasks: Sequence[tuple]) -> Iterator[tuple[int, Any]]:
        try:
            pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={name}", *arguments]))
        except ValueError as error:
            raise InputError(f"Apache Beam refuses `runner={name}`: {error}") from None
        try:
            with pipeline:
                _ = pipeline | beam.Create(list(tasks)) | beam.Reshuffle() | beam.MapTuple(function)
        # Runners raise errors of any type; the last line holds the error of the machine.
        except Exception as error:
            logger.debug("Apache Beam", exc_info=True)
            reason = f"{error}".strip().rpartition("\n")[-1] or type(error).__name__
            raise InputError(
                f"the work on Apache Beam failed: {reason}; the same command goes on where it ended"
            ) from None
        yield from enumerate(function(*task) for task in tasks)

    return run
