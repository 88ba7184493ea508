"""Networks: what they cost, how long they take, beside the same network in other engines."""

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import registry
from tfvfi.benchmark import cost, timing
from tfvfi.benchmark.contender import Contender, RefusedError
from tfvfi.benchmark.engines import ENGINES, OWN, Task
from tfvfi.benchmark.machine import Ceiling
from tfvfi.errors import InputError
from tfvfi.evaluation.contestants import Contestant

PRECISIONS = ("float32", "bfloat16")
# Seconds that threads of one engine get to come to rest before another runs, and that one may take.
PAUSE, BUDGET = 0.25, 120.0


@dataclass(frozen=True)
class Subject:
    """A network that is measured.

    Attributes:
        name: One of `tfvfi.list_models()`.
        weights: A file; None for fresh ones.
        options: Further arguments of `tfvfi.load`.
    """

    name: str
    weights: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """From "name,option=value,...", where weights is one of the options; fresh ones if not."""
        given = Contestant.parse(text)
        registry.preset(given.name)
        return cls(given.name, None if given.weights == "default" else given.weights, given.options)


@dataclass(frozen=True)
class Measured:
    """How one engine ran one network at one size in one precision."""

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
    """Refuses what is not one of `PRECISIONS`, or nothing at all."""
    unknown = sorted(set(names) - set(PRECISIONS))
    if unknown or not names:
        received = unknown[0] if unknown else "nothing"
        raise InputError(f"--precision takes {', '.join(PRECISIONS)}. Received: {received}")


def measure(
    subject: Subject,
    width: int,
    height: int,
    precisions: Sequence[str],
    engines: Sequence[str],
    repeats: int,
    threads: int,
    ceiling: Ceiling,
    note: Callable[[str], None] = print,
) -> list[Measured]:
    """Runs one network in every engine and precision in turns, each in a process of its own.

    Args:
        subject: The network.
        width: Of the frames.
        height: Of the frames.
        precisions: Of `PRECISIONS`.
        engines: Names in `ENGINES` to compare with.
        repeats: Runs of each, see `timing.contest`.
        threads: For each engine.
        ceiling: Of this machine.
        note: Told in one sentence what an engine cannot do.
    """
    # A network is measured with weights or without; "default" would refuse those that have none.
    without = not registry.preset(subject.name).has_weights
    weights = "default" if without else subject.weights
    network = registry.load(subject.name, weights, **subject.options)
    facts = {
        "network": subject.name,
        "parameters_m": round(cost.parameters(network) / 1e6, 3),
        "size": f"{width}x{height}",
        "gflop": round(cost.gflop(network, height, width), 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        first = Task(
            form=OWN,
            model=subject.name,
            weights=_same_weights(network, subject, folder),
            height=height,
            width=width,
            precision="float32",
            threads=threads,
            folder=folder,
            options=subject.options,
        )
        del network
        tasks = list(_tasks(first, precisions, engines, note))
        with contextlib.ExitStack() as stack:
            contenders = _started(tasks, stack, note)
            works = {name: contender.run for name, contender in contenders.items()}
            times = timing.contest(works, repeats, BUDGET, PAUSE)
            peaks = {name: contender.finish() for name, contender in contenders.items()}
        reference = np.load(contenders[next(iter(contenders))].task.output)
        ours = statistics.median(next(iter(times.values())))
        return [
            _row(facts, contender, times[name], peaks[name], ours, reference, ceiling)
            for name, contender in contenders.items()
        ]


def _same_weights(network: Any, subject: Subject, folder: str) -> str:
    """A file with the weights that every engine gets; an empty name for a method without any."""
    from tfvfi import weights

    if not network.weights:
        return ""
    path = Path(folder) / f"{subject.name}.weights.h5"
    weights.save(network, path)
    return str(path)


def _tasks(
    first: Task, precisions: Sequence[str], engines: Sequence[str], note: Callable[[str], None]
) -> Iterator[Task]:
    """Ours in every precision, then every other engine's, once what it reads is converted."""
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


def _started(
    tasks: Sequence[Task], stack: contextlib.ExitStack, note: Callable[[str], None]
) -> dict[str, Contender]:
    """A process for every task that can be done, by a name of its own."""
    contenders = {}
    for task in tasks:
        try:
            contender = Contender(task)
        except RefusedError as error:
            note(f"{task.form} cannot run {task.model} in {task.precision}: {error}")
            continue
        stack.callback(contender.stop)
        contenders[f"{task.form} {task.precision}"] = contender
    return contenders


def _row(facts, contender, times, peak, ours, reference, ceiling):
    task, median = contender.task, statistics.median(times)
    rate = facts["gflop"] / median
    return Measured(
        **facts,
        precision=task.precision,
        engine=task.form,
        version=contender.ready["version"],
        runs=len(times),
        median_s=round(median, 4),
        lowest_s=round(min(times), 4),
        highest_s=round(max(times), 4),
        gflop_per_s=round(rate, 1),
        share_of_ceiling=round(rate / ceiling.gflop_per_s[task.precision], 3),
        peak_mib=round(peak),
        start_s=round(contender.ready["start_s"], 1),
        speed=round(ours / median, 2),
        db_to_ours=round(_decibels(np.load(task.output), reference), 1),
    )


def _decibels(output: np.ndarray, reference: np.ndarray) -> float:
    mse = np.mean(np.square(output.astype("float64") - reference))
    peak = max(1.0, np.abs(reference).max())
    return float(10 * np.log10(peak**2 / mse)) if mse else float("inf")
