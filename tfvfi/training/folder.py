"""The folder of a run: its settings, its metrics and its checkpoints.

run.json          settings, versions, git revision
metrics.csv       one row per interval
curve.svg         the metrics as a picture
checkpoints/      the last two and the best
events.*          for TensorBoard, with pictures
batch-*.npz       the batch on which a run failed
"""

import contextlib
import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.training.settings import Settings

RUN, METRICS, CURVE, CHECKPOINTS = "run.json", "metrics.csv", "curve.svg", "checkpoints"
PATTERNS = (METRICS, CURVE, CHECKPOINTS, "events.*.tfvfi", "batch-*.npz")

Row = dict[str, Any]


class RunFolder:
    """The folder of a run.

    Args:
        path: Its location; the folder is created when something is written.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.checkpoints = self.path / CHECKPOINTS

    def kept_settings(self) -> dict[str, Any] | None:
        """Returns the settings of the run in this folder; None if there is no run.

        Raises:
            InputError: The folder holds something else.
        """
        if not any(map(_means_something, self._names())):
            return None
        try:
            return json.loads((self.path / RUN).read_text())["settings"]
        except (OSError, ValueError, LookupError, TypeError):
            raise InputError(
                f"{self.path} is not empty and holds no run; choose another `output`"
            ) from None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Creates the folder and locks it against other processes on this machine.

        Raises:
            InputError: Another process has locked it, or something cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with storage.only_one(self.path):
                yield
        except OSError as error:
            raise InputError(
                f"{error.filename or self.path} cannot be written: {error.strerror or error}; the "
                "same command continues the run from its last checkpoint"
            ) from None

    def discard(self) -> None:
        """Removes the run; other files in its folder are kept."""
        if self.kept_settings() is None:
            return
        with self.alone():
            for path in (path for pattern in PATTERNS for path in self.path.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            storage.write_bytes(self.path / RUN, b'{"settings": null}\n')

    def begin(self, settings: Settings) -> None:
        """Writes the settings of the run and its environment."""
        from tfvfi.evaluation.results import environment

        about = {
            "settings": vars(settings),
            "environment": environment(),
            "git": git_revision(),
        }
        # A killed run may have left incomplete files behind.
        for path in self.path.glob(f"*{storage.ASIDE}"):
            path.unlink()
        storage.write_bytes(self.path / RUN, (json.dumps(about, indent=1) + "\n").encode())

    def rows(self) -> list[Row]:
        """Returns all metrics measured so far, as numbers."""
        try:
            with open(self.path / METRICS, newline="") as file:
                return [_numbers(row) for row in csv.DictReader(file)]
        except OSError:
            return []

    def write_rows(self, rows: list[Row]) -> None:
        """Replaces all metrics atomically."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [names, *([row.get(name, "") for name in names] for row in rows)]
        text = "".join(",".join(map(str, line)) + "\n" for line in lines)
        storage.write_bytes(self.path / METRICS, text.encode())

    def _names(self) -> list[str]:
        if not self.path.exists():
            return []
        if not self.path.is_dir():
            raise InputError(f"{self.path} is a file, not a folder; choose another `output`")
        return [path.name for path in self.path.iterdir()]


def git_revision() -> str | None:
    """Returns the commit of this checkout, marked if files were modified; None outside of one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _means_something(name: str) -> bool:
    """Returns whether a file is more than a trace of a run that was killed at its start."""
    return name != storage.LOCK and not name.endswith(storage.ASIDE)


def _numbers(row: dict[str, str]) -> Row:
    numbers = {name: float(value) for name, value in row.items() if value}
    return numbers | {"step": int(numbers["step"])}
