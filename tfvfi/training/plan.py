"""Predicts what a training would do, by running a few of its steps."""

import resource
import sys
import time
from typing import Any

import keras

from tfvfi.training import loops, strategies
from tfvfi.training.job import Job
from tfvfi.training.validation import Validation
from tfvfi.training.watch import duration

# The first step is compiled and the second may still allocate memory, so the last is timed.
TRIED = 3
# Results of a step that are not terms of the objective.
BESIDE = ("loss", "psnr", "gradient")


def plan(job: Job) -> str:
    """Runs a few steps, keeps nothing of them, and returns the plan as text.

    Args:
        job: A freshly prepared training.
    """
    validation = Validation(job)
    clock = Clock()
    loops.drive(job, 0, TRIED, TRIED, [clock])
    settings = job.settings
    shapes = {
        name: (settings.batch_size, *shape) for name, shape in sorted(job.samples.spec.items())
    }
    count = sum(weight.size for weight in map(keras.ops.convert_to_numpy, job.network.weights))
    whole = clock.seconds * settings.steps
    lines = {
        "model": f"{settings.flow or settings.model}, {count / 1e6:.2f} M parameters",
        "objective": f"{settings.objective}: {' + '.join(clock.terms)}",
        "records": f"{job.samples.source.name}, {len(job.samples)} examples of "
        f"{job.samples.source.layout.frames} frames",
        "batch": ", ".join(f"{name} {shape}" for name, shape in shapes.items()),
        "shared by": f"{strategies.replicas(job.strategy)} replicas, {settings.accumulate} parts",
        "steps": f"{settings.steps}, {settings.steps * settings.batch_size / len(job.samples):.1f}"
        f" epochs; every {settings.interval} a checkpoint",
        "optimizer": f"{settings.optimizer}, {settings.schedule} from {settings.learning_rate:g}",
        "precision": settings.precision,
        "validation": validation.missing or f"{settings.validation_limit} examples at most",
        "memory": f"{_peak_memory() / 2**30:.1f} GB at the peak",
        "time": f"{clock.seconds:.3g} s a step, {duration(whole)} in all",
    }
    return "\n".join(f"{name:<12}{value}" for name, value in lines.items())


class Clock(keras.callbacks.Callback):
    """Times the last step and records the names of the terms."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.terms: list[str] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stops the clock once the step is finished."""
        # Devices run asynchronously; reading a value waits for the step.
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.seconds = time.perf_counter() - self._began
        self.terms = [name for name in values if name not in BESIDE]


def _peak_memory() -> int:
    """Returns peak memory in bytes: of the first GPU if there is one, else of this process."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.config.list_logical_devices("GPU"):
            return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    # Linux reports kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
