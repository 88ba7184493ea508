"""What accompanies the steps: a progress bar, a guard, and what happens at the end of an interval.

All are callbacks of Keras; an "epoch" is an interval, see `tfvfi.training.loops`.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from tfvfi.errors import InputError
from tfvfi.training.job import Job

Logs = dict[str, Any]
# Sources that an error names; the saved batch holds the rest.
NAMED = 4


class Counting(keras.callbacks.Callback):
    """Knows the step.

    Args:
        start: Steps that were done before.
    """

    def __init__(self, start: int):
        super().__init__()
        self.step = start

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Counts."""
        self.step += 1
        self.after_step({name: float(value) for name, value in (logs or {}).items()})

    def after_step(self, logs: dict[str, float]) -> None:
        """What is done after each step; `logs` are means since the interval began."""


class Progress(Counting):
    """A bar with the terms, PSNR and patches per second; nothing where there is no terminal."""

    def __init__(self, job: Job, start: int, quiet: bool = False):
        super().__init__(start)
        self._batch_size = job.settings.batch_size
        self._began = time.monotonic()
        self._first = start
        self.bar = tqdm(
            total=job.settings.steps, initial=start, unit="step", disable=True if quiet else None
        )

    def after_step(self, logs: dict[str, float]) -> None:
        """Shows."""
        done = (self.step - self._first) * self._batch_size
        rate = done / max(1e-6, time.monotonic() - self._began)
        shown = {name: f"{value:.4g}" for name, value in logs.items()}
        self.bar.set_postfix(shown | {"patches/s": f"{rate:.3g}"}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leaves the bar as it is."""
        self.bar.close()


class Guard(Counting):
    """Ends a run whose loss is no longer a number, and keeps the batch that did it."""

    def __init__(self, job: Job, start: int):
        super().__init__(start)
        self._job = job

    def after_step(self, logs: dict[str, float]) -> None:
        """Looks at every term."""
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            raise InputError(self._report(bad))

    def _report(self, bad: list[str]) -> str:
        samples, size = self._job.samples, self._job.settings.batch_size
        positions = range((self.step - 1) * size, self.step * size)
        places = [str(samples.describe(position)) for position in positions]
        batch = [samples.sample(position) for position in positions]
        path = f"{self._job.settings.output}/batch-{self.step}.npz"
        if self._job.is_chief:
            np.savez(path, **{name: np.stack([one[name] for one in batch]) for name in batch[0]})
        more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
        return (
            f"{' and '.join(bad)} is no longer finite at step {self.step}, whose batch is "
            f"{'; '.join(places[:NAMED])}{more} (kept in {path}): look at it, lower "
            "--learning_rate or set --clip; the run continues from its last checkpoint"
        )


class Intervals(Counting):
    """Calls what is due at the end of an interval.

    Args:
        start: Steps that were done before.
        due: `due(step, means, seconds)`, seconds of the interval.
    """

    def __init__(self, start: int, due: Callable[[int, dict[str, float], float], None]):
        super().__init__(start)
        self._due = due
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes the time."""
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Ends the interval."""
        means = {name: float(value) for name, value in (logs or {}).items()}
        self._due(self.step, means, time.monotonic() - self._began)
