"""Measures the cost and time of networks and compares them with other engines."""

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import registry
from tfvfi.benchmark import cost, timing
from tfvfi.benchmark.contender import Contender, RefusedError
from tfvfi.benchmark.engines import ENGINES, OWN
from tfvfi.benchmark.task import Task
from tfvfi.errors import ArgumentError
from tfvfi.machine import Ceiling
from tfvfi.registry import ModelSpec

PRECISIONS = ("float32", "bfloat16")
# Seconds that the runs of one engine may take in total.
BUDGET = 120.0
# PSNR in dB to our output below which an engine does not compute the same network. Half precision
# is above it.
SAME = 30.0


@dataclass(frozen=True)
class Measured:
    """The measurements of one engine with one network at one size in one precision."""

    network: str
    parameters_m: float
    size: str
    gflop: float
    """See `cost.gflop`."""
    precision: str
    engine: str
    version: str
    runs: int
    median_s: float
    lowest_s: float
    highest_s: float
    gflop_per_s: float
    share_of_ceiling: float
    """What part of the machine's matrix product in that precision this reached."""
    peak_mib: float
    """Largest memory of the whole process while it ran."""
    start_s: float
    """Until the first result: loading, compiling, one run."""
    speed: float
    """Relative to ours in the first precision: 2 is twice as fast."""
    db_to_ours: float
    """PSNR between its output and ours in the first precision; of a flow, relative to its largest
    value."""


def check_precisions(names: Sequence[str]) -> None:
    """Raises `InputError` unless there are precisions and all are in `PRECISIONS`."""
    unknown = sorted(set(names) - set(PRECISIONS))
    if unknown or not names:
        received = unknown[0] if unknown else "nothing"
        raise ArgumentError(f"`precision` takes {', '.join(PRECISIONS)}. Received: {received}")


def measure(
    spec: ModelSpec,
    width: int,
    height: int,
    precisions: Sequence[str],
    engines: Sequence[str],
    repeats: int,
    threads: int,
    ceiling: Ceiling,
    note: Callable[[str], None] = print,
) -> list[Measured]:
    """Runs one network in every engine and precision in turns, each in a separate process.

    Args:
        spec: The network, with fresh weights unless it names a file.
        width: The width of the frames.
        height: The height of the frames.
        precisions: A selection of `PRECISIONS`.
        engines: The names in `ENGINES` to compare with.
        repeats: The number of runs of each; see `timing.contest`.
        threads: The number of threads for each engine.
        ceiling: The peak performance of this machine.
        note: Called with a sentence about each task that an engine cannot run.

    Returns:
        One row for each engine and precision that computed the same network, ours first.
    """
    with tempfile.TemporaryDirectory() as folder:
        facts, weights = _prepared(spec, width, height, Path(folder))
        first = Task(
            form=OWN,
            model=spec.name,
            weights=weights,
            height=height,
            width=width,
            precision="float32",
            threads=threads,
            folder=folder,
            options=dict(spec.options),
        )
        runs = _raced(list(_tasks(first, precisions, engines, note)), repeats, note)
        if not runs:
            return []
        ours = statistics.median(runs[0].seconds)
        reference = np.load(runs[0].task.output)
        rows = [_row(facts, run, ours, reference, ceiling) for run in runs]
    for row in rows:
        if row.db_to_ours < SAME:
            note(
                f"{row.engine} computes something else from {row.network} in {row.precision} "
                f"({row.db_to_ours:.0f} dB from ours): its times are left out"
            )
    return [row for row in rows if not row.db_to_ours < SAME]


@dataclass(frozen=True)
class _Runs:
    """The runs of one process."""

    task: Task
    ready: dict[str, Any]
    seconds: list[float]
    peak_mib: float


def _prepared(spec: ModelSpec, width: int, height: int, folder: Path) -> tuple[dict[str, Any], str]:
    """Returns the properties of a network that need no run, and a weight file for all engines."""
    from tfvfi import weights

    has_weights = registry.preset(spec.name).has_weights
    network = registry.load(spec.name, spec.weights if has_weights else "default", **spec.options)
    facts = {
        "network": spec.name,
        "parameters_m": round(cost.parameters(network) / 1e6, 3),
        "size": f"{width}x{height}",
        "gflop": round(cost.gflop(network, height, width), 2),
    }
    if not has_weights:
        return facts, ""
    path = folder / f"{spec.name}.weights.h5"
    weights.save(network, path)
    return facts, str(path)


def _tasks(
    first: Task, precisions: Sequence[str], engines: Sequence[str], note: Callable[[str], None]
) -> Iterator[Task]:
    """Yields our tasks in every precision, then those of other engines if conversion succeeds."""
    yield from (replace(first, precision=precision) for precision in precisions)
    kinds = dict.fromkeys(ENGINES[name].needs for name in engines)
    failed = {kind for kind in kinds if kind and not _converted(first, kind, note)}
    for name in engines:
        engine = ENGINES[name]
        if engine.needs in failed:
            continue
        for precision in precisions:
            if precision not in engine.precisions:
                note(f"{name} does not compute in {precision} on the CPU")
                continue
            for form in engine.forms:
                yield replace(first, form=form, precision=precision)


def _converted(first: Task, kind: str, note: Callable[[str], None]) -> bool:
    try:
        Contender(replace(first, form=f"to {kind}")).stop()
    except RefusedError as error:
        note(f"{first.model} was not converted to {kind}: {error}")
        return False
    return True


def _raced(tasks: Sequence[Task], repeats: int, note: Callable[[str], None]) -> list[_Runs]:
    """Runs all tasks in turns, except for those that their engine cannot run."""
    with contextlib.ExitStack() as stack:
        contenders = {}
        for task in tasks:
            try:
                contender = Contender(task)
            except RefusedError as error:
                note(f"{task.form} cannot run {task.model} in {task.precision}: {error}")
                continue
            stack.callback(contender.stop)
            contenders[f"{task.form} {task.precision}"] = contender
        works = {name: contender.run for name, contender in contenders.items()}
        times = timing.contest(works, repeats, BUDGET, timing.PAUSE)
        return [
            _Runs(contender.task, contender.ready, times[name], contender.finish())
            for name, contender in contenders.items()
        ]


def _row(
    facts: dict[str, Any], run: _Runs, ours: float, reference: np.ndarray, ceiling: Ceiling
) -> Measured:
    median = statistics.median(run.seconds)
    rate = facts["gflop"] / median
    return Measured(
        **facts,
        precision=run.task.precision,
        engine=run.task.form,
        version=run.ready["version"],
        runs=len(run.seconds),
        median_s=round(median, 4),
        lowest_s=round(min(run.seconds), 4),
        highest_s=round(max(run.seconds), 4),
        gflop_per_s=round(rate, 1),
        share_of_ceiling=round(rate / ceiling.gflop_per_s[run.task.precision], 3),
        peak_mib=round(run.peak_mib, 1),
        start_s=round(run.ready["start_s"], 1),
        speed=round(ours / median, 2),
        db_to_ours=round(_decibels(np.load(run.task.output), reference), 1),
    )


def _decibels(output: np.ndarray, reference: np.ndarray) -> float:
    mse = np.mean(np.square(output.astype("float64") - reference))
    peak = max(1.0, np.abs(reference).max())
    return float(10 * np.log10(peak**2 / mse)) if mse else float("inf")
