"""Keeps a run: at the end of every interval it is validated, recorded and saved."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfvfi import weights
from tfvfi.media.storage import write_bytes
from tfvfi.training import card, checkpoints, curve
from tfvfi.training.checkpoints import State
from tfvfi.training.events import Events
from tfvfi.training.folder import CURVE, Row, RunFolder
from tfvfi.training.job import Job, with_own_weights
from tfvfi.training.pictures import sheet
from tfvfi.training.validation import Validation

# Called with the metrics of an interval and the network with the averaged weights.
Watch = Callable[[Row, Any], None]


class Keeper:
    """Records and saves a run; with several workers, only the first has one.

    Args:
        job: The training, in the state that `state` describes.
        folder: The folder of the run.
        validation: Measures the averaged weights.
        state: The state of the checkpoint from which the run continues.
        quiet: Whether to print nothing.
        watch: Called at the end of every interval.
    """

    def __init__(
        self,
        job: Job,
        folder: RunFolder,
        validation: Validation,
        state: State,
        quiet: bool,
        watch: Watch | None = None,
    ):
        self.job, self.folder, self.validation = job, folder, validation
        self.state, self.quiet, self.watch = state, quiet, watch
        folder.begin(job.settings)
        # Metrics of steps after the checkpoint will be measured again.
        self.rows = [row for row in folder.rows() if row["step"] <= state.step]
        self.events = Events(folder.path, state.step)
        if state.step and not quiet:
            print(f"step {state.step}/{job.settings.steps}: continues from here", flush=True)

    def end_interval(self, step: int, means: dict[str, float], seconds: float) -> None:
        """Validates the network, records the metrics and saves a checkpoint."""
        self.validation.refresh()
        row: Row = {
            "step": step,
            "seconds": round(seconds, 3),
            "learning_rate": float(self.job.trainer.optimizer.learning_rate),
            **{f"train/{name}": value for name, value in means.items()},
            **self.validation.scores(),
        }
        self.state = self.state.after(step, _score(row))
        self.rows.append(row)
        # Rows come first: those after the newest checkpoint are dropped when a run continues.
        self.folder.write_rows(self.rows)
        checkpoints.save(self.folder.checkpoints, self.job.trainer, self.state)
        write_bytes(self.folder.path / CURVE, curve.draw(self.rows).encode())
        self.events.scalars(step, {name: row[name] for name in row if name != "step"})
        shown = self.validation.shown()
        self.events.images(step, {f"samples/{n}": sheet(each) for n, each in enumerate(shown)})
        self._tell(row)
        if self.watch is not None:
            self.watch(row, self.validation.network)

    def export(self, path: str | Path) -> None:
        """Writes the best averaged weights with a card."""
        best = checkpoints.at_step(self.folder.checkpoints, self.state.best_step)
        checkpoints.restore(best, self.job.trainer)
        self.validation.refresh()
        measured = {row["step"]: row for row in self.rows}
        row = measured.get(self.state.best_step, {"step": self.state.best_step})
        network = with_own_weights(self.validation.network)
        weights.save(network, path, **card.describe(self.job, row))
        card.write(path, self.job)

    def _tell(self, row: Row) -> None:
        if not self.quiet:
            shown = [f"{name} {value:.4g}" for name, value in row.items() if name != "step"]
            tqdm.write(f"step {row['step']}/{self.job.settings.steps}: {', '.join(shown)}")
            # Flushed so that a log shows the line at once.
            sys.stdout.flush()


def _score(row: Row) -> float:
    """Returns the score of the averaged weights; higher is better."""
    if "validation/psnr" in row:
        return row["validation/psnr"]
    return -row.get("validation/loss", row["train/loss"])
