"""Work on many videos shared out by an Apache Beam pipeline: on a cluster, or on this machine."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tfvfi.data import clip_parts
from tfvfi.errors import InputError

logger = logging.getLogger(__name__)


def runner(
    name: str, arguments: Sequence[str] = (), function: Callable[..., Any] = clip_parts.make
) -> Callable[[Sequence[tuple]], Iterator[tuple[int, Any]]]:
    """What calls a function for each of many tasks, as `making.create` takes it.

    Results travel through the output folder, which all machines must reach, not through Beam.

    Args:
        name: Of a Beam runner.
        arguments: Beam's own flags.
        function: Leaves its result on disk; called again, it gives what it finds there.
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
        # Runners raise what they like; what a machine met stands in the last line.
        except Exception as error:
            logger.debug("Apache Beam", exc_info=True)
            reason = f"{error}".strip().rpartition("\n")[-1] or type(error).__name__
            raise InputError(
                f"the work on Apache Beam failed: {reason}; the same command goes on where it ended"
            ) from None
        yield from enumerate(function(*task) for task in tasks)

    return run
