"""Keras callbacks: a progress bar, a guard against NaN, and the work at the end of an interval.

For these callbacks an "epoch" is an interval, see `tfvfi.training.loops`.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.training.job import Job

Values = dict[str, float]
# Number of sources that an error lists; the saved batch contains the others.
NAMED = 4
# Seconds between two lines of a log.
EVERY = 60.0


class AfterStep(keras.callbacks.Callback):
    """A callback that counts the steps.

    Args:
        start: Number of steps done before.
    """

    def __init__(self, start: int):
        super().__init__()
        self.step = start

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the step and passes its values on."""
        self.step += 1
        self.after_step({name: float(value) for name, value in (logs or {}).items()})

    def after_step(self, values: Values) -> None:
        """Called after each step with its loss, terms and PSNR."""
        raise NotImplementedError


class Progress(AfterStep):
    """Shows terms, PSNR and patches per second, in a bar or, without a terminal, every minute."""

    def __init__(self, job: Job, start: int, quiet: bool = False):
        super().__init__(start)
        self._batch_size, self._steps = job.settings.batch_size, job.settings.steps
        self._quiet = quiet
        self._bar = tqdm(
            total=self._steps, initial=start, unit="step", disable=True if quiet else None
        )
        self._told, self._told_at = start, math.nan

    def after_step(self, values: Values) -> None:
        """Updates the bar, or prints a line."""
        shown = {name: f"{value:.4g}" for name, value in values.items()}
        if self._bar.disable:
            self._tell(shown)
            return
        # Steps per second, smoothed by the bar.
        if rate := self._bar.format_dict["rate"]:
            shown["patches/s"] = f"{rate * self._batch_size:.3g}"
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update()

    def _tell(self, shown: dict[str, str]) -> None:
        """Prints a line for a log."""
        now = time.monotonic()
        # The first step is compiled, so its time does not count.
        if math.isnan(self._told_at):
            self._told, self._told_at = self.step, now
        if self._quiet or now - self._told_at < EVERY:
            return
        rate = (self.step - self._told) / (now - self._told_at)
        left = duration((self._steps - self.step) / rate)
        shown["patches/s"] = f"{rate * self._batch_size:.3g}"
        parts = ", ".join(f"{name} {value}" for name, value in shown.items())
        print(f"step {self.step}/{self._steps}: {parts}, {left} left", flush=True)
        self._told, self._told_at = self.step, now

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the bar and leaves it on the screen."""
        self._bar.close()


class Guard(AfterStep):
    """Ends a run whose loss is no longer finite, and saves the batch of that step."""

    def __init__(self, job: Job, start: int):
        super().__init__(start)
        self._job = job

    def after_step(self, values: Values) -> None:
        """Checks every term.

        Raises:
            InputError: One is no longer finite.
        """
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise InputError(self._report(bad))

    def _report(self, bad: list[str]) -> str:
        samples, size = self._job.samples, self._job.settings.batch_size
        positions = range((self.step - 1) * size, self.step * size)
        places = [str(samples.describe(position)) for position in positions]
        batch = [samples.sample(position) for position in positions]
        path = f"{self._job.settings.output}/batch-{self.step}.npz"
        if self._job.is_chief:
            with storage.write_aside(path) as file:
                np.savez(file, **{key: np.stack([one[key] for one in batch]) for key in batch[0]})
        more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
        return (
            f"{', '.join(bad)} {'is' if len(bad) == 1 else 'are'} no longer finite at step "
            f"{self.step}, whose batch is {'; '.join(places[:NAMED])}{more} (kept in {path}): look "
            "at it, lower `learning_rate` or set `clip`, and the run continues from its last "
            "checkpoint"
        )


def duration(seconds: float) -> str:
    """Formats a duration as hours and minutes, or as minutes and seconds.

    Example:
        >>> duration(7270), duration(61)
        ('2 h 1 min', '1 min 1 s')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


class Intervals(AfterStep):
    """Calls a function at the end of every interval.

    Args:
        start: Number of steps done before.
        due: `due(step, means, seconds)` of the interval.
    """

    def __init__(self, start: int, due: Callable[[int, Values, float], None]):
        super().__init__(start)
        self._due = due

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts an interval."""
        self._first, self._sums, self._began = self.step, {}, time.monotonic()

    def after_step(self, values: Values) -> None:
        """Accumulates the values of a step."""
        self._sums = {name: self._sums.get(name, 0.0) + value for name, value in values.items()}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls `due` with the means of the interval."""
        steps = self.step - self._first
        means = {name: total / steps for name, total in self._sums.items()}
        self._due(self.step, means, time.monotonic() - self._began)
