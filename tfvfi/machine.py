"""The machine: what it is, and the most that it can do."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Sides of the matrices, bytes that are copied, and how often each is repeated.
MATRIX, COPIED, REPEATS = 3072, 2**28, 9


@dataclass(frozen=True)
class Ceiling:
    """What the machine reaches at work that does nothing but that.

    Attributes:
        gflop_per_s: Of a large matrix product, by precision; a multiplication and an addition are
            two.
        copied_gb_per_s: Bytes read (and as many written) a second when memory is copied by all
            cores.
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
    """Measures it; takes some seconds."""
    rates = {precision: 2e-9 * MATRIX**3 / _product(precision) for precision in precisions}
    return Ceiling(rates, 1e-9 * COPIED / _copy())


def describe(threads: int) -> str:
    """The machine in one line."""
    return (
        f"{processor()}, {cores()} cores, {memory_gib():.0f} GiB; {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}; {threads} threads"
    )


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory_gib() -> float:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def watch_memory() -> None:
    """Begins a new high-water mark of this process's memory, where the system keeps one."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5")


def memory_mib(name: str) -> float:
    """Memory of this process, "VmRSS" now or "VmHWM" at most; NaN where the system tells none."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
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
    """Median seconds of the faster half of the runs: what the machine can do, not what it did."""
    taken = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(sorted(taken[1:])[: REPEATS // 2 + 1])
