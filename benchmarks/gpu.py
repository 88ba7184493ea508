"""Runs every network on a GPU, through Keras on JAX and on PyTorch, beside its authors' code.

    python benchmarks/gpu.py --size=1280x720 --sources=CLONES
    python benchmarks/gpu.py --networks=ifrnet_s,pwcnet --device=cpu --size=128x64 --sources=CLONES

Everything computes in exact float32, and every output is compared with ours on the processor. The
machine needs no network connection if CLONES holds the authors' repositories, and no TensorFlow.
`--seconds` limits the whole command; networks that did not get their turn are named at the end, and
measuring them in another run adds their rows to the table.
"""

import datetime
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import sheets
from absl import flags
from originals import arguments, measuring, sources
from originals.catalog import GITHUB, ORIGINALS, TORCH
from originals.job import CPU, DEVICES, GPU, ORIGINAL, THEIRS, Job, Result, do

from tfvfi import machine
from tfvfi.cli import command
from tfvfi.errors import ArgumentError, InputError
from tfvfi.options import frame_size
from tfvfi.registry import preset, presets

BACKENDS = ["jax", "torch"]
# The largest difference from our result on the processor, in parts of its largest value.
TOLERANCE = 1e-3
PLACE = ("network", "size", "engine", "device")

FLAGS = flags.FlagValues()
flags.DEFINE_list("networks", [], "networks, by name; all by default", flag_values=FLAGS)
flags.DEFINE_string("size", "1280x720", "width x height of the frames", flag_values=FLAGS)
flags.DEFINE_list("backends", BACKENDS, "of Keras: jax, torch", flag_values=FLAGS)
flags.DEFINE_enum("device", GPU, list(DEVICES), "where networks run", flag_values=FLAGS)
flags.DEFINE_integer("runs", 10, "runs of each, after two others", 1, flag_values=FLAGS)
flags.DEFINE_integer("workers", 6, "processes at a time; one is timed", 1, flag_values=FLAGS)
flags.DEFINE_float("seconds", 540.0, "that the command may take", 1.0, flag_values=FLAGS)
flags.DEFINE_float("limit", 150.0, "seconds that a process may take", 1.0, flag_values=FLAGS)
flags.DEFINE_string("jax_python", sys.executable, "interpreter with JAX", flag_values=FLAGS)
arguments.define_folders(FLAGS)


@dataclass(frozen=True)
class Row:
    """One network in one engine on one device."""

    network: str
    size: str
    engine: str
    version: str
    runs: int
    median_ms: float | None
    lowest_ms: float | None
    highest_ms: float | None
    original_over_this: float | None
    """The original's time over this one: 2 is twice as fast."""
    difference: float | None
    """The largest difference from our output on the processor, divided by the largest value of
    that output."""
    peak_mib: float | None
    original: str
    """Repository and commit."""
    licence: str
    note: str
    """Why there is no time."""
    device: str
    measured: str
    """The date."""


def main() -> None:
    """Measures the networks and writes the table."""
    names = FLAGS.networks or list(presets())
    for name in names:
        preset(name)
    if not FLAGS.backends or not set(FLAGS.backends) <= set(BACKENDS):
        received = ",".join(FLAGS.backends) or "nothing"
        raise ArgumentError(f"`backends` takes {', '.join(BACKENDS)}. Received: {received}")
    frame_size(FLAGS.size)
    device, end = _device(), time.monotonic() + FLAGS.seconds
    print(device, flush=True)
    late, wrong = [], []
    with tempfile.TemporaryDirectory() as folder:
        threads = ThreadPoolExecutor(FLAGS.workers)
        try:
            works = [threads.submit(measure, name, device, Path(folder), end) for name in names]
            for name, work in zip(names, works, strict=True):
                rows = work.result()
                if rows:
                    write(rows, Path(FLAGS.results))
                else:
                    late.append(name)
                for row in rows:
                    seen = row.note or f"{row.median_ms:.2f} ms, difference {row.difference}"
                    print(f"{name}, {row.engine}: {seen}", flush=True)
                wrong += [f"{name} ({row.engine})" for row in rows if _is_wrong(row)]
        finally:
            # After Ctrl-C, no other network begins.
            threads.shutdown(cancel_futures=True)
    if late:
        print(f"no time was left for --networks={','.join(late)}")
    if wrong:
        raise InputError(
            f"these do not compute what the processor computes, to {TOLERANCE}: {', '.join(wrong)}"
        )


def measure(name: str, device: str, scratch: Path, end: float) -> list[Row]:
    """Measures one network.

    Args:
        name: The name of our network.
        device: The description of the device for the table.
        scratch: A folder for all networks, in which weights and outputs go.
        end: The value of `time.monotonic` at which the command ends.

    Returns:
        The rows of the engines that had their turn before the end.
    """
    if time.monotonic() >= end:
        return []
    folder = scratch / name
    folder.mkdir()
    original = ORIGINALS.get(name)
    width, height = frame_size(FLAGS.size)
    keras = "tensorflow" if find_spec("tensorflow") else "torch"
    clone = Path(FLAGS.sources).resolve() / (original.folder if original else "")
    first = Job(
        engine=ORIGINAL,
        network=name,
        clone=str(clone),
        folder=str(folder),
        width=width,
        height=height,
        threads=machine.cores(),
        runs=FLAGS.runs,
        budget=FLAGS.limit / 10,
        backend=keras,
    )
    unable = _unable(name)
    reference = replace(first, engine=f"tfvfi on {keras}", runs=0)
    on_device = replace(first, device=FLAGS.device)
    jobs = [replace(on_device, engine=THEIRS)] if original else []
    jobs += [replace(on_device, engine=f"tfvfi on {each}", backend=each) for each in FLAGS.backends]
    jobs = [replace(job, python=FLAGS.jax_python) if job.backend == "jax" else job for job in jobs]
    if preset(name).has_weights:
        unable = measuring.prepared(first, unable, FLAGS.limit, _note)
    results: dict[Job, Result] = {}
    for job in (reference, *jobs):
        left = end - time.monotonic()
        if job.engine == THEIRS and unable:
            results[job] = Result(unable)
        elif left > 0:
            results[job] = do(job, min(FLAGS.limit, left))
    return list(_rows(name, device, reference, results, sources.commit(clone)))


def write(found: Sequence[Row], folder: Path) -> None:
    """Writes gpu.csv and gpu.md, with those rows of an earlier table that were not replaced."""
    rows = sheets.replaced(sheets.read(folder / "gpu.csv", Row), found, PLACE)
    order = list(presets())
    rows.sort(key=lambda row: (row.device, row.size, order.index(row.network)))
    sheets.write(rows, markdown(rows), folder, "gpu")


def markdown(rows: Sequence[Row]) -> str:
    """Returns the table as Markdown."""
    lines = [
        "# Every network on a GPU",
        "",
        "Written by `benchmarks/gpu.py`; `docs/guides/speed.md` explains it. Milliseconds are "
        "medians of synchronized runs in exact float32, with the frames on the device. The ratio "
        "is the original's time over ours: above 1, ours is faster. The difference is the largest "
        "one from our output on the processor, in parts of its largest value.",
    ]
    for (device, size), group in groupby(rows, lambda row: (row.device, row.size)):
        lines += ["", f"## {size} on {device}", ""]
        lines += [
            "| network | engine | ms | lowest to highest | ratio | difference | peak, MiB | |"
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for row in group:
            named = f"{row.engine} ({row.version})" if row.version else row.engine
            cells = [row.network, named, sheets.number(row.median_ms, ".2f")]
            cells += [sheets.spread(row.lowest_ms, row.highest_ms, ".2f")]
            cells += [sheets.number(row.original_over_this, ".2f")]
            cells += [sheets.number(row.difference, ".1e"), sheets.number(row.peak_mib, ".0f")]
            lines.append(sheets.line([*cells, row.note]))
    return "\n".join(lines) + "\n"


def _unable(name: str) -> str:
    """Fetches the original; returns why it cannot run here, or nothing."""
    original = ORIGINALS.get(name)
    if original is None:
        return "there is no published PyTorch code to compare with"
    if original.framework != TORCH:
        return original.note
    try:
        sources.fetch(original, Path(FLAGS.sources))
    except InputError as error:
        return str(error)
    return ""


def _rows(
    name: str, device: str, reference: Job, results: dict[Job, Result], commit: str
) -> Iterator[Row]:
    original = ORIGINALS.get(name)
    medians = {
        job.engine: 1000 * statistics.median(result.seconds)
        for job, result in results.items()
        if result.seconds
    }
    theirs = medians.get(THEIRS)
    missing = results[reference].refused and f"no reference: {results[reference].refused}"
    for job, result in results.items():
        if job == reference:
            continue
        median = medians.get(job.engine)
        milliseconds = [1000 * each for each in result.seconds]
        compared = measuring.difference if job.engine == THEIRS else measuring.apart
        yield Row(
            network=name,
            size=FLAGS.size,
            engine=job.engine,
            version=result.version,
            runs=len(milliseconds),
            median_ms=median and round(median, 3),
            lowest_ms=median and round(min(milliseconds), 3),
            highest_ms=median and round(max(milliseconds), 3),
            original_over_this=median and theirs and round(theirs / median, 3),
            difference=median and compared(job, reference),
            peak_mib=median and round(result.peak_mib),
            original=f"{GITHUB}{original.repository} at {commit}" if original else "",
            licence=original.licence if original else "",
            note=result.refused or missing,
            device=device,
            measured=datetime.date.today().isoformat(),
        )


def _is_wrong(row: Row) -> bool:
    """Returns whether our network did not run, or computed something else."""
    if row.engine == THEIRS:
        return False
    return row.difference is None or row.difference > TOLERANCE


def _note(sentence: str) -> None:
    print(sentence, flush=True)


def _device() -> str:
    """Returns a description of the device."""
    if FLAGS.device == CPU:
        return machine.describe()
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise InputError(
            "nvidia-smi finds no GPU here; `device=cpu` tries the command without one"
        ) from None
    return f"{names.splitlines()[0]}; {machine.describe()}"


if __name__ == "__main__":
    command.run(main, FLAGS)
