"""The clips of a dataset read by an Apache Beam pipeline: on a cluster, or on this machine."""

from collections.abc import Iterator, Sequence
from typing import Any

from tfvfi.data import parts
from tfvfi.data.making import Runner, Task
from tfvfi.errors import InputError


def runner(name: str, arguments: Sequence[str] = ()) -> Runner:
    """What `making.create` takes as its runner.

    Parts travel through the output folder, which all machines must reach, not through Beam.

    Args:
        name: Of a Beam runner.
        arguments: Beam's own flags.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        raise InputError(
            "--runner needs Apache Beam: pip install 'tfvfi[beam]' (or apache-beam)"
        ) from None

    def run(tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        options = PipelineOptions([f"--runner={name}", *arguments])
        with beam.Pipeline(options=options) as pipeline:
            _ = pipeline | beam.Create(list(tasks)) | beam.Reshuffle() | beam.MapTuple(parts.make)
        yield from enumerate(parts.make(*task) for task in tasks)

    return run
