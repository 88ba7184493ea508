"""Checkpoints that survive a kill at any moment.

A checkpoint is one .npz file. It holds all arrays (weights, their moving averages, the optimizer's
state, random states), the step and the score. The position in the data follows from the step, see
`tfvfi.data.samples`. The file is written under another name, flushed to disk and then renamed, so a
file with the right name is complete. The last two checkpoints and the best one are kept.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.training.optimizers import averages
from tfvfi.training.step import Trainer

KEPT = 2
STATE = "state"
PATTERN = "step-*.npz"


@dataclass(frozen=True)
class State:
    """The part of a checkpoint that is not arrays.

    Attributes:
        step: The number of updates so far.
        score: The validation score of the averaged weights, higher is better; None if unknown.
        best_step: The step of the best checkpoint so far, including this one.
        best_score: The score of that checkpoint.
    """

    step: int
    score: float | None = None
    best_step: int = 0
    best_score: float | None = None

    def after(self, step: int, score: float) -> "State":
        """Returns the state at a later step, whose weights have the given score."""
        if self.best_score is None or score > self.best_score:
            return State(step, score, step, score)
        return State(step, score, self.best_step, self.best_score)


def save(folder: Path, trainer: Trainer, state: State) -> Path:
    """Writes a checkpoint and removes those that are no longer needed.

    Raises:
        InputError: A weight is not finite; nothing is written then.
    """
    arrays = {name: keras.ops.convert_to_numpy(each) for name, each in _variables(trainer).items()}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(
                f"{name} is no longer finite after step {state.step}; the run continues from the "
                "checkpoint before: lower `learning_rate` or set `clip`"
            )
    arrays[STATE] = np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    path = at_step(folder, state.step)
    with storage.write_aside(path) as file:
        np.savez(file, **arrays)
    _prune(folder, state.best_step)
    return path


def newest(folder: Path) -> Path | None:
    """Returns the newest checkpoint that can be read; None if there is none."""
    for path in sorted(folder.glob(PATTERN), reverse=True):
        if _readable(path):
            return path
    return None


def at_step(folder: Path, step: int) -> Path:
    """Returns the path of the checkpoint of a step."""
    return folder / f"step-{step:09d}.npz"


def read_state(path: Path) -> State:
    """Reads a checkpoint's state; it counts as the best one itself if that one is missing."""
    with np.load(path) as file:
        state = State(**json.loads(file[STATE].tobytes()))
    if at_step(path.parent, state.best_step).exists():
        return state
    return State(state.step, state.score, state.step, state.score)


def restore(path: Path, trainer: Trainer) -> State:
    """Restores weights, optimizer and random states.

    Raises:
        InputError: The checkpoint belongs to another network or optimizer.
    """
    with np.load(path) as file:
        for name, variable in _variables(trainer).items():
            if name not in file or file[name].shape != tuple(variable.shape):
                raise InputError(f"{path} is of another training: it has no {name} of that shape")
            variable.assign(file[name])
    return read_state(path)


def average(trainer: Trainer, network: Any) -> None:
    """Copies the averaged weights, or the plain ones if there are none, to another network."""
    source = {variable.path: variable for variable in trainer.network.variables}
    for variable, mean in zip(
        trainer.trainable_variables, averages(trainer.optimizer) or (), strict=False
    ):
        source[variable.path] = mean
    for variable, wanted in zip(network.variables, trainer.network.variables, strict=True):
        variable.assign(keras.ops.convert_to_numpy(source[wanted.path]))


def _variables(trainer: Trainer) -> dict[str, Any]:
    """Returns everything that the next step depends on, by names that are stable across runs."""
    # Keras numbers unnamed variables, but their order does not change.
    return {
        f"{part}/{number}/{variable.name}": variable
        for part, holder in (("network", trainer.network), ("optimizer", trainer.optimizer))
        for number, variable in enumerate(holder.variables)
    }


def _prune(folder: Path, best: int) -> None:
    paths = sorted(folder.glob(PATTERN))
    for path in paths[:-KEPT]:
        if path != at_step(folder, best):
            path.unlink()
    # A killed run may have left incomplete files behind.
    for path in folder.glob(f"*{storage.ASIDE}"):
        path.unlink()


def _readable(path: Path) -> bool:
    try:
        return zipfile.ZipFile(path).testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
