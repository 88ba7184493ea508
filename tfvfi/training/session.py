"""Runs a training from its settings to its weights."""

import contextlib
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tfvfi import weights
from tfvfi.errors import InputError
from tfvfi.training import checkpoints, loops, strategies
from tfvfi.training.checkpoints import State
from tfvfi.training.folder import RunFolder
from tfvfi.training.job import Job, prepare
from tfvfi.training.keeper import Keeper, Watch
from tfvfi.training.plan import plan
from tfvfi.training.settings import Settings, changed
from tfvfi.training.validation import Validation
from tfvfi.training.watch import Guard, Intervals, Progress


def train(settings: Settings, quiet: bool = False, watch: Watch | None = None) -> Path:
    """Trains a network, or continues the training in its folder.

    Args:
        settings: The user's settings. The others come from the run that is continued, or else from
            the preset of the network.
        quiet: Whether to print nothing; otherwise a progress bar is shown on a terminal, and one
            line per interval.
        watch: Called at the end of each interval with its row of metrics and the network, which
            then has the averaged weights.

    Returns:
        The folder of the run.

    Raises:
        InputError: A setting is invalid, or the training cannot continue.
    """
    folder = RunFolder(settings.output)
    job = _prepared(settings, folder)
    # Of several workers, only the first writes files.
    validation = Validation(job) if job.is_chief else None
    with folder.alone() if validation else contextlib.nullcontext():
        newest = checkpoints.newest(folder.checkpoints)
        state = checkpoints.restore(newest, job.trainer) if newest else State(0)
        strategies.check_agreement(job.strategy, state.step)
        keeper = Keeper(job, folder, validation, state, quiet, watch) if validation else None
        _steps(job, state.step, keeper, quiet)
        if keeper and settings.export:
            keeper.export(settings.export)
    return folder.path


def _steps(job: Job, start: int, keeper: Keeper | None, quiet: bool) -> None:
    """Performs the remaining steps."""
    left = job.settings.steps - start
    if left <= 0:
        return
    watchers = [Guard(job, start), Progress(job, start, quiet or keeper is None)]
    if keeper:
        watchers.append(Intervals(start, keeper.end_interval))
    loops.drive(job, start, left, job.settings.interval, watchers)


def dry_run(settings: Settings) -> str:
    """Checks everything that `train` would, writes nothing, and returns the plan as text."""
    return plan(_prepared(settings, RunFolder(settings.output)))


def continued(asked: Settings, kept: dict[str, Any] | None) -> Settings:
    """Returns the settings for a run that may already have started.

    Args:
        asked: The settings that the user gave now.
        kept: The complete settings of the run in the folder; None for a new run.

    Raises:
        InputError: The user's settings contradict those of the run.
    """
    if kept is None:
        return asked
    unsaid = [each.name for each in fields(Settings) if getattr(asked, each.name) is None]
    settings = replace(
        asked,
        options={**kept.get("options", {}), **asked.options},
        **{name: _tuples(kept[name]) for name in unsaid if name in kept},
    )
    if different := changed(kept, settings):
        raise InputError(
            f"{asked.output} holds a run with other settings: {', '.join(different)}; choose "
            "another `output`, or pass `overwrite=True` to discard it"
        )
    return settings


def _prepared(settings: Settings, folder: RunFolder) -> Job:
    if settings.export:
        weights.check_name(settings.export)
        _check_place(Path(settings.export))
    return prepare(continued(settings, folder.kept_settings()))


def _check_place(path: Path) -> None:
    """Raises an error if the file could not be written at the end of the training."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; `export` is a file")
    # Missing folders will be created inside the nearest existing one.
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InputError(f"{path} cannot be written, as {there} is no folder to write to")


def _tuples(value: Any) -> Any:
    """Converts the lists that JSON returns back to tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
