"""Describes the machine and measures its peak performance."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# The side of the matrices, the bytes that are copied, and the number of repetitions.
MATRIX, COPIED, REPEATS = 3072, 2**28, 9


@dataclass(frozen=True)
class Ceiling:
    """The peak performance that the machine reaches in simple tasks.

    Attributes:
        gflop_per_s: The rate of a large matrix product, by precision. A multiplication with an
            addition counts as two operations.
        copied_gb_per_s: The rate at which all cores together copy memory; each byte is read and
            written.
    """

    gflop_per_s: dict[str, float]
    copied_gb_per_s: float

    def __str__(self) -> str:
        products = ", ".join(
            f"{precision} {rate:.0f} GFLOP/s" for precision, rate in self.gflop_per_s.items()
        )
        return (
            f"ceiling: matrix product of {MATRIX} x {MATRIX}: {products}; "
            f"memory copy {self.copied_gb_per_s:.1f} GB/s"
        )


def ceiling(precisions: tuple[str, ...] = ("float32", "bfloat16")) -> Ceiling:
    """Measures and returns the peak performance, which takes some seconds."""
    rates = {precision: 2e-9 * MATRIX**3 / _product(precision) for precision in precisions}
    return Ceiling(rates, 1e-9 * COPIED / _copy())


def describe(threads: int | None = None) -> str:
    """Returns a description of the machine, and of the threads used if given, in one line."""
    return (
        f"{processor()}, {cores()} cores, {memory_gib():.0f} GiB; {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}"
    ) + (f"; {threads} threads" if threads else "")


def cores() -> int:
    """Returns the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """Returns the name of the processor, as far as the system reports it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory_gib() -> float:
    """Returns the memory of the machine in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def watch_memory() -> None:
    """Resets the high-water mark of this process's memory, if the system keeps one."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5")


def memory_mib(name: str, process: int | str = "self") -> float:
    """Returns the memory of a process in MiB.

    Args:
        name: "VmRSS" for the current memory, "VmHWM" for the high-water mark.
        process: The number of the process; "self" for this one.

    Returns:
        The memory, or NaN if the system does not report it or the process has ended.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        lines = []
    for line in lines:
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return float("nan")


def _product(precision: str) -> float:
    import tensorflow as tf

    a, b = (tf.cast(tf.random.uniform((MATRIX, MATRIX)), precision) for _ in range(2))
    product = tf.function(tf.matmul, autograph=False)
    return _fastest(lambda: product(a, b))


def _copy() -> float:
    source, target = np.ones(COPIED, "uint8"), np.zeros(COPIED, "uint8")
    parts = list(zip(np.array_split(source, cores()), np.array_split(target, cores()), strict=True))
    with ThreadPoolExecutor(cores()) as threads:
        return _fastest(lambda: list(threads.map(lambda part: np.copyto(part[1], part[0]), parts)))


def _fastest(work: Callable[[], object]) -> float:
    """Returns the median seconds of the faster half of the runs, which ignores interruptions."""
    taken = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(sorted(taken[1:])[: REPEATS // 2 + 1])
