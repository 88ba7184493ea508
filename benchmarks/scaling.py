"""Measures how much faster networks run on more cores.

    python benchmarks/scaling.py --networks=ifrnet_s,rife_v4_0 --size=1280x720

Each network runs on one core, two, four and so on up to all, each time in a process of its own that
is pinned to so many cores and has as many threads. All these processes take turns in every round.
The table is written after every network; measuring a network again replaces its rows.
"""

import contextlib
import datetime
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sheets
from absl import flags

from tfvfi import machine
from tfvfi.benchmark import timing
from tfvfi.benchmark.contender import Contender, RefusedError
from tfvfi.benchmark.engines import OWN
from tfvfi.benchmark.task import Task
from tfvfi.cli import command
from tfvfi.errors import ArgumentError, InputError
from tfvfi.options import frame_size
from tfvfi.registry import preset

NETWORKS = ["ifrnet_s", "rife_v4_0", "flow_interpolation", "superslomo"]
PRECISIONS = ["float32", "bfloat16"]
PLACE = ("network", "size", "precision", "machine")

FLAGS = flags.FlagValues()
flags.DEFINE_list("networks", NETWORKS, "networks, by name", flag_values=FLAGS)
flags.DEFINE_string("size", "1280x720", "width x height of the frames", flag_values=FLAGS)
flags.DEFINE_enum("precision", "float32", PRECISIONS, "of the networks", flag_values=FLAGS)
flags.DEFINE_list("cores", [], "numbers of cores; powers of two by default", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 3, "runs of every process", 1, flag_values=FLAGS)
flags.DEFINE_float("budget", 60.0, "seconds that the runs of one may take", 1.0, flag_values=FLAGS)
flags.DEFINE_string("results", "benchmarks/results", "where the table goes", flag_values=FLAGS)


@dataclass(frozen=True)
class Row:
    """One network on one number of cores."""

    network: str
    size: str
    precision: str
    cores: int
    runs: int
    median_s: float
    lowest_s: float
    highest_s: float
    speed_up: float
    """The time on the fewest cores over this."""
    efficiency: float
    """The speed-up over the ratio of the numbers of cores: 1 is perfect."""
    machine: str
    measured: str
    """The date."""


def main() -> None:
    """Measures every network and writes the table after each."""
    width, height = frame_size(FLAGS.size)
    if not FLAGS.networks:
        raise ArgumentError("`networks` takes at least one name. Received: nothing")
    for name in FLAGS.networks:
        preset(name)
    if not hasattr(os, "sched_setaffinity"):
        raise InputError("this system cannot pin a process to cores; Linux can")
    counts = _counts(FLAGS.cores, machine.cores())
    print(machine.describe(), flush=True)
    folder = Path(FLAGS.results)
    for name in FLAGS.networks:
        seconds = measure(name, width, height, counts)
        found = rows(name, seconds)
        for row in found:
            part = f"{row.cores} of {machine.cores()} cores"
            print(f"{name}, {part}: {row.median_s:.3f} s, {row.speed_up:.2f} times", flush=True)
        merged = sheets.replaced(sheets.read(folder / "scaling.csv", Row), found, PLACE)
        merged.sort(key=lambda row: (row.machine, row.size, row.precision != "float32"))
        sheets.write(merged, markdown(merged), folder, "scaling")


def measure(name: str, width: int, height: int, counts: Sequence[int]) -> dict[int, list[float]]:
    """Returns the seconds of every run, by the number of cores."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        contenders: dict[int, Contender] = {}
        for count in counts:
            task = Task(
                form=OWN,
                model=name,
                weights="",
                height=height,
                width=width,
                precision=FLAGS.precision,
                threads=count,
                folder=folder,
            )
            try:
                with pinned(ordered_cores()[:count]):
                    contenders[count] = Contender(task)
            except RefusedError as error:
                raise InputError(f"{name} did not run on {count} cores: {error}") from None
            stack.callback(contenders[count].stop)
        works = {str(count): contender.run for count, contender in contenders.items()}
        times = timing.contest(works, FLAGS.rounds, FLAGS.budget, timing.PAUSE)
        return {count: times[str(count)] for count in counts}


def rows(name: str, seconds: Mapping[int, Sequence[float]]) -> list[Row]:
    """Returns the rows of one network.

    Args:
        name: The network.
        seconds: The seconds of every run, by the number of cores, the fewest first.
    """
    medians = {count: statistics.median(each) for count, each in seconds.items()}
    fewest, slowest = next(iter(medians.items()))
    return [
        Row(
            network=name,
            size=FLAGS.size,
            precision=FLAGS.precision,
            cores=count,
            runs=len(seconds[count]),
            median_s=round(median, 4),
            lowest_s=round(min(seconds[count]), 4),
            highest_s=round(max(seconds[count]), 4),
            speed_up=round(slowest / median, 3),
            efficiency=round(slowest / median * fewest / count, 3),
            machine=machine.describe(),
            measured=datetime.date.today().isoformat(),
        )
        for count, median in medians.items()
    ]


def markdown(found: Sequence[Row]) -> str:
    """Returns the table as Markdown."""
    lines = [
        "# One core to all",
        "",
        "Written by `benchmarks/scaling.py`. Seconds per frame are medians of interleaved runs, "
        "each number of cores in a process of its own that is pinned to them. The efficiency is "
        "the speed-up over the ratio of the numbers of cores.",
    ]
    for heading, group in groupby(found, lambda row: (row.machine, row.size, row.precision)):
        lines += ["", f"## {heading[1]} in {heading[2]} on {heading[0]}", ""]
        lines += ["| network | cores | seconds | lowest to highest | speed-up | efficiency |"]
        lines += ["|---|---|---|---|---|---|"]
        for row in group:
            cells = [row.network, str(row.cores), f"{row.median_s:.3f}"]
            cells += [sheets.spread(row.lowest_s, row.highest_s, ".3f")]
            lines.append(sheets.line([*cells, f"{row.speed_up:.2f}", f"{row.efficiency:.0%}"]))
    return "\n".join(lines) + "\n"


def ordered_cores() -> list[int]:
    """Returns the cores that this process may use, one thread of each physical core first."""
    seen: Counter[tuple[str, ...]] = Counter()
    ranks = {}
    for core in sorted(os.sched_getaffinity(0)):
        place = _physical(core)
        ranks[core] = seen[place]
        seen[place] += 1
    return sorted(ranks, key=lambda core: (ranks[core], core))


@contextlib.contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Pins the processes that are started meanwhile to some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _physical(core: int) -> tuple[str, ...]:
    """Returns the socket and the number there of a physical core."""
    topology = Path(f"/sys/devices/system/cpu/cpu{core}/topology")
    files = [topology / name for name in ("physical_package_id", "core_id")]
    if not all(file.is_file() for file in files):
        return (str(core),)
    return tuple(file.read_text().strip() for file in files)


def _counts(given: Sequence[str], available: int) -> list[int]:
    """Returns the numbers of cores to measure, in order."""
    if not given:
        powers = (2**power for power in range(available.bit_length()))
        return sorted({*powers, available})
    try:
        counts = sorted({int(each) for each in given})
    except ValueError:
        counts = []
    if not counts or not 1 <= counts[0] <= counts[-1] <= available:
        raise ArgumentError(
            f"`cores` takes numbers from 1 to {available}, such as 1,2. Received: {','.join(given)}"
        )
    return counts


if __name__ == "__main__":
    command.run(main, FLAGS)
