"""Measures one network: prepares equal weights, runs all engines in turns, compares outputs."""

import datetime
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from originals import sources
from originals.catalog import GITHUB, ORIGINALS
from originals.engines import ENGINES
from originals.job import CONVERTED, FRESH, ORIGINAL, Job, Result, do
from originals.table import Row
from tfvfi import machine
from tfvfi.benchmark.engines import OWN
from tfvfi.errors import InputError

Contestant = tuple[str, str]
"""An engine and a precision."""


@dataclass(frozen=True)
class Plan:
    """How every network is measured.

    Attributes:
        width: The width of the frames.
        height: The height of the frames.
        precisions: "float32", "bfloat16" or both; the first is the one that outputs are compared
            with.
        engines: The engines to compare with; those of another framework are left out.
        rounds: How often every engine takes its turn.
        runs: How often a network runs in a turn.
        limit: Seconds that a turn may take in total.
        threads: The number of threads of each engine.
        sources: The folder of the authors' repositories.
    """

    width: int
    height: int
    precisions: Sequence[str]
    engines: Sequence[str]
    rounds: int
    runs: int
    limit: float
    threads: int
    sources: Path


def measure(name: str, plan: Plan, folder: Path, note: Callable[[str], None]) -> list[Row]:
    """Measures a network beside its original.

    Args:
        name: The name of our network.
        plan: How to measure it.
        folder: An empty folder for weights, conversions and outputs.
        note: Called with a sentence about every step.

    Returns:
        One row for every engine and precision.
    """
    clone, unable = plan.sources.resolve() / ORIGINALS[name].folder, ""
    try:
        sources.fetch(ORIGINALS[name], plan.sources)
    except InputError as error:
        unable = str(error)
    first = Job(
        engine=ORIGINAL,
        network=name,
        clone=str(clone),
        folder=str(folder),
        width=plan.width,
        height=plan.height,
        threads=plan.threads,
        runs=plan.runs,
        budget=plan.limit / 10,
    )
    unable = prepared(first, unable, plan.limit, note)
    jobs = {
        (engine, precision): replace(first, engine=engine, precision=precision)
        for precision in plan.precisions
        for engine in (OWN, *_engines(name, plan))
    }
    results: dict[Contestant, list[Result]] = {contestant: [] for contestant in jobs}
    for number in range(plan.rounds):
        for contestant, job in jobs.items():
            if any(result.refused for result in results[contestant]):
                continue
            result = Result(unable) if unable and job.engine != OWN else do(job, plan.limit)
            results[contestant].append(result)
            seen = result.refused or f"{statistics.median(result.seconds):.3f} s"
            note(f"{name}, round {number + 1}, {' '.join(contestant)}: {seen}")
    return list(_rows(name, plan, jobs, results, sources.commit(clone)))


def _engines(name: str, plan: Plan) -> list[str]:
    able = ENGINES[ORIGINALS[name].framework]
    return [engine for engine in plan.engines if engine in able]


def prepared(first: Job, unable: str, limit: float, note: Callable[[str], None]) -> str:
    """Writes the weights of both; returns why the original cannot run, or nothing."""
    if not unable:
        unable = do(first, limit).refused
    if unable:
        note(f"{first.network}: the original cannot be built: {unable}")
    else:
        converted = do(replace(first, engine=CONVERTED), limit)
        if not converted.refused:
            return ""
        note(f"{first.network}: its weights were not converted: {converted.refused}")
    # Without the same weights times can be compared, but outputs cannot.
    first.published.unlink(missing_ok=True)
    do(replace(first, engine=FRESH), limit)
    return unable


def _rows(
    name: str,
    plan: Plan,
    jobs: Mapping[Contestant, Job],
    results: Mapping[Contestant, Sequence[Result]],
    commit: str,
) -> Iterator[Row]:
    original = ORIGINALS[name]
    described = machine.describe(plan.threads)
    medians = {
        contestant: statistics.median([second for each in done for second in each.seconds])
        for contestant, done in results.items()
        if not done[-1].refused
    }
    reference = jobs[OWN, plan.precisions[0]]
    for (engine, precision), done in results.items():
        median = medians.get((engine, precision))
        ours = medians.get((OWN, precision))
        seconds = [second for each in done for second in each.seconds]
        yield Row(
            network=name,
            size=f"{plan.width}x{plan.height}",
            precision=precision,
            engine=engine,
            version=done[-1].version,
            runs=len(seconds) if median else 0,
            median_s=median and round(median, 4),
            lowest_s=median and round(min(seconds), 4),
            highest_s=median and round(max(seconds), 4),
            ours_is_faster=median and ours and round(median / ours, 3),
            difference=median and difference(jobs[engine, precision], reference),
            peak_mib=median and round(max(each.peak_mib for each in done)),
            original=f"{GITHUB}{original.repository} at {commit}" if original.repository else "",
            licence=original.licence,
            note=done[-1].refused or original.note * (engine != OWN),
            machine=described,
            threads=plan.threads,
            measured=datetime.date.today().isoformat(),
        )


def difference(job: Job, reference: Job) -> float | None:
    """Returns the largest difference of two outputs, in parts of the reference's largest value.

    There is none if their weights are not the same, or if one has no output.
    """
    return apart(job, reference) if reference.published.exists() else None


def apart(job: Job, reference: Job) -> float | None:
    """Returns the same for two jobs of equal weights."""
    if not (reference.output.exists() and job.output.exists()):
        return None
    output, expected = (np.load(each.output).astype("float64") for each in (job, reference))
    if output.shape != expected.shape:
        return None
    return float(f"{np.abs(output - expected).max() / (np.abs(expected).max() or 1.0):.2g}")
