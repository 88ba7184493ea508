"""Predicts the output, time and memory of an interpolation before it begins."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from tfvfi import registry
from tfvfi.errors import ArgumentError
from tfvfi.media.pipe import PIPE
from tfvfi.media.source import open_source
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.memory import Frames, tile_side
from tfvfi.video.prepared import Prepared
from tfvfi.video.render import Renderer
from tfvfi.video.timeline import Factor, Rate
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import CONTAINERS, Encoding
from tfvfi.video.writing.places import check_output

# More frames are rendered only on request; if their number is unknown, the factor is limited.
MOST_FRAMES, MOST_FACTOR = 500_000, 256


@dataclass(frozen=True)
class Plan:
    """The expected output of an interpolation, and the memory that it takes.

    Attributes:
        output: The path of the output.
        frames: The number of frames; None if the source does not state how many it has.
        size: The height and width of the frames.
        rate: The number of frames per second.
        side: The side of the tiles into which frames are cut; None if they stay whole.
        memory: The estimated memory in GiB.
    """

    output: Path
    frames: int | None
    size: tuple[int, int]
    rate: Fraction
    side: int | None
    memory: float

    def __str__(self) -> str:
        count = "an unknown number of" if self.frames is None else f"about {self.frames}"
        tiles = "whole" if self.side is None else f"in tiles of {self.side}x{self.side}"
        return (
            f"{self.output}: {count} frames of {self.size[1]}x{self.size[0]}, "
            f"{float(self.rate):.3f} a second, interpolated {tiles}, with about "
            f"{self.memory:.1f} GiB of memory"
        )


def plan(
    inputs: Sequence[str | Path],
    output: Path,
    model: registry.ModelSpec | FrameInterpolator,
    treatment: Treatment,
    encoding: Encoding | None = None,
    overwrite: bool = False,
) -> Plan:
    """Checks the arguments and predicts the output without rendering anything.

    Args:
        inputs: See `tfvfi.video.pipeline.process`, as for the other arguments.
        output: A video, an animation, or a folder of pictures.
        model: A loaded network or the `ModelSpec` of one.
        treatment: How the frames are interpolated.
        encoding: The codec and quality of the output.
        overwrite: Whether an existing output may be replaced.

    Raises:
        InputError: The source cannot be read or the output cannot be written.
    """
    (encoding or Encoding()).check(output.suffix.lower())
    source = open_source(inputs, treatment.damaged, treatment.max_pixels)
    if output != PIPE:
        check_output(output, source.paths, overwrite)
    prepared = Prepared(source, treatment)
    wanted = treatment.wanted(clock=source.has_clock or output == PIPE or bool(output.suffix))
    network = registry.shared(model) if isinstance(model, registry.ModelSpec) else model
    known = frames_of(prepared, source.look.alpha, output)
    side = tile_side(treatment.tile, known, network, treatment.memory)
    rate = wanted.rate if isinstance(wanted, Rate) else source.rate * wanted.factor
    return Plan(
        output,
        expected_count(prepared, wanted),
        prepared.size,
        rate / treatment.slower,
        side,
        known.needed(network, side) / 2**30,
    )


def frames_of(prepared: Prepared, alpha: bool, output: Path) -> Frames:
    """Returns the properties of the frames that will be in memory."""
    return Frames(
        prepared.size,
        channels=4 if alpha else 3,
        depth=2 if prepared.source.look.depth > 8 else 1,
        encoded=output.suffix.lower() in CONTAINERS,
    )


def expected_count(prepared: Prepared, wanted: Factor | Rate) -> int | None:
    """Returns the approximate number of output frames; None if the source states no number."""
    frames = prepared.frames_expected
    return wanted.count(frames, prepared.seconds_expected) if frames else None


def check_count(
    prepared: Prepared,
    wanted: Factor | Rate,
    count: int | None,
    load: Callable[[], FrameInterpolator],
) -> None:
    """Raises an error if very many frames would be rendered.

    Args:
        prepared: The source's frames.
        wanted: The rule that determines the output frames.
        count: The number of output frames, if it is known.
        load: Returns the network, for a trial.

    Raises:
        ArgumentError: There are too many frames; the message states their number and the time.
    """
    factor = wanted.factor if isinstance(wanted, Factor) else 1
    if factor <= MOST_FACTOR if count is None else count <= MOST_FRAMES:
        return
    seconds = _seconds_per_frame(prepared, load())
    many = "an unknown number of frames, each" if count is None else f"{count} frames, which"
    hours = (1 if count is None else count) * seconds / 3600
    took = f"{seconds:.2f} seconds" if count is None else f"about {hours:.1f} hours"
    raise ArgumentError(
        f"this would make {many} would take {took} on this machine; pass a smaller `factor` or "
        "`fps`, or `yes=True` to begin all the same"
    )


def _seconds_per_frame(prepared: Prepared, network: FrameInterpolator) -> float:
    """Returns the time for a frame, from a trial with the first pair after a warm-up call."""
    first, *others = [shown.image for shown in islice(prepared.frames(), 2)]
    # A pair of equal frames takes as long as any other.
    pair = first, others[0] if others else first
    side = tile_side(
        prepared.treatment.tile, Frames.like(first), network, prepared.treatment.memory
    )
    renderer, taken = Renderer(network, side), []
    for _ in range(2):
        start = time.perf_counter()
        renderer.between(*pair, [0.5])
        taken.append(time.perf_counter() - start)
    return taken[-1]
