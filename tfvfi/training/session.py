"""A training from its settings to its weights."""

import contextlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfvfi.errors import InputError
from tfvfi.training import checkpoints, loops, strategies
from tfvfi.training.checkpoints import State
from tfvfi.training.folder import RunFolder
from tfvfi.training.job import Job, prepare
from tfvfi.training.settings import Settings, changed
from tfvfi.training.validation import Validation
from tfvfi.training.watch import Guard, Intervals, Progress


def train(settings: Settings, progress: bool = True) -> Path:
    """Trains a network, or continues a training that its folder holds.

    Args:
        settings: What the user set; the preset of the network fills the rest, and a run that is
            continued what it was told first.
        progress: Show a bar, where there is a terminal, and a line an interval.

    Returns:
        The folder of the run.

    Raises:
        InputError: Something does not fit, or the training cannot go on.
    """
    folder = RunFolder(settings.output)
    job = prepare(continued(settings, folder.kept_settings()))
    Session(job, folder, progress).run()
    return folder.path


def continued(asked: Settings, kept: dict[str, Any] | None) -> Settings:
    """The settings for a run that may have begun before.

    Raises:
        InputError: What is asked for differs from what the run was told first.
    """
    if kept is None:
        return asked
    names = {field.name for field in fields(Settings)}
    told = {
        name: value
        for name, value in kept.items()
        if name in names and getattr(asked, name) is None
    }
    settings = replace(asked, **told)
    different = changed(kept, settings)
    if different:
        raise InputError(
            f"{asked.output} holds a run of other settings: {', '.join(different)}; name another "
            "--output, or pass --overwrite to forget it"
        )
    return settings


class Session:
    """Drives a job from where it stands to its last step.

    Args:
        job: What is trained.
        folder: Where it is kept.
        progress: Whether it is shown.
    """

    def __init__(self, job: Job, folder: RunFolder, progress: bool = True):
        self.job, self.folder, self.progress = job, folder, progress and job.is_chief
        self.validation = Validation(job) if job.is_chief else None
        self.rows: list[dict[str, Any]] = []

    def run(self) -> None:
        """Trains."""
        settings, trainer = self.job.settings, self.job.trainer
        path = checkpoints.newest(self.folder.checkpoints)
        self.state = checkpoints.restore(path, trainer) if path else State(0)
        if self.job.is_chief:
            self.folder.begin(settings)
            # What was measured behind the checkpoint will be measured again.
            self.rows = [row for row in self.folder.rows() if row["step"] <= self.state.step]
        start, left = self.state.step, settings.steps - self.state.step
        if left > 0:
            callbacks = [
                Guard(self.job, start),
                Progress(self.job, start, not self.progress),
                Intervals(start, self._end_interval),
            ]
            batches = self.job.batches(start)
            with strategies.lost_workers(self.job.strategy), _plain_errors():
                if self.job.strategy is None:
                    loops.fit(trainer, batches, left, settings.interval, callbacks)
                else:
                    loops.distribute(
                        trainer, self.job.strategy, batches, left, settings.interval, callbacks
                    )

    def _end_interval(self, step: int, means: dict[str, float], seconds: float) -> None:
        """Validates, writes down and keeps."""
        if not self.job.is_chief:
            return
        self.validation.refresh()
        row = {"step": step, "seconds": round(seconds, 3), **means, **self.validation.scores()}
        score = row.get("validation_psnr", -row.get("validation_loss", means["loss"]))
        best = (self.state.best_score is None) or score > self.state.best_score
        self.state = State(
            step,
            score,
            step if best else self.state.best_step,
            score if best else self.state.best_score,
        )
        self.rows.append(row)
        checkpoints.save(self.folder.checkpoints, self.job.trainer, self.state)
        self.folder.write_rows(self.rows)
        if self.progress:
            shown = ", ".join(
                f"{name} {value:.4g}" for name, value in row.items() if name != "step"
            )
            tqdm.write(f"step {step}/{self.job.settings.steps}: {shown}")


def _plain_errors() -> contextlib.AbstractContextManager:
    """Errors of the reading as they were before TensorFlow wrapped them."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return contextlib.nullcontext()
    from tfvfi.data import plain_errors

    return plain_errors()
