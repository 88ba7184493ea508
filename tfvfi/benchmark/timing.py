"""Times interleaved runs and writes their medians as a table or a CSV file."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tfvfi.media import tables

# Seconds that the threads of one engine have to become idle before the next engine runs.
PAUSE = 0.25


@dataclass(frozen=True)
class Timing:
    """The median time of one contestant in one contest."""

    subject: str
    """What was run, for example "backward_warp border"."""
    shape: str
    direction: str
    """"forward", or "backward": the gradients to all inputs alone."""
    form: str
    """Who ran it, for example "portable", "native" or "torch"."""
    threads: int
    runs: int
    median_ms: float
    first_over_this: float
    """How many times faster than the first contestant of the contest this one is."""


def contest(
    contestants: Mapping[str, Callable[[], object]],
    repeats: int,
    budget: float = 20.0,
    pause: float = 0.0,
) -> dict[str, list[float]]:
    """Returns the seconds of every run, with all contestants in turns.

    Taking turns lets a slow moment of the machine affect all contestants alike.

    Args:
        contestants: Functions by name, each of which returns when its work is done.
        repeats: The number of runs of each, after a first one that is not counted.
        budget: Seconds that the runs of one contestant may take. A slower one gets fewer runs, but
            at least one. If its first run exceeds the budget, that run is counted.
        pause: Seconds to wait before each run, in which the threads of the previous one become
            idle.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for name, work in contestants.items():
        first = _seconds(work)
        if first > budget:
            times[name].append(first)
    for _ in range(repeats):
        for name, work in contestants.items():
            if not times[name] or sum(times[name]) + times[name][0] < budget:
                time.sleep(pause)
                times[name].append(_seconds(work))
    return times


def timings(
    subject: str, shape: str, direction: str, times: Mapping[str, list[float]], threads: int
) -> list[Timing]:
    """Returns one `Timing` for each contestant."""
    medians = {form: statistics.median(runs) * 1000 for form, runs in times.items()}
    reference = next(iter(medians.values()))
    return [
        Timing(
            subject,
            shape,
            direction,
            form,
            threads,
            len(times[form]),
            round(median, 3),
            round(reference / median, 2),
        )
        for form, median in medians.items()
    ]


def table(rows: Sequence[Any]) -> str:
    """Returns rows of one dataclass as aligned text."""
    names = [field.name for field in fields(rows[0])]
    cells = [names, *([str(getattr(row, name)) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def write_csv(rows: Sequence[Any], path: Path) -> None:
    """Writes rows of one dataclass as a CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tables.write_csv(path, [asdict(row) for row in rows])


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
