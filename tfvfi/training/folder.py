"""The folder of a run: what it was told, what it measured, its checkpoints.

run.json          settings, versions, git revision
metrics.csv       a row an interval
curve.svg         the same as a picture
checkpoints/      the last two and the best
events.*          for TensorBoard, with pictures
"""

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tfvfi.data.storage import write_bytes
from tfvfi.errors import InputError
from tfvfi.training.settings import Settings

RUN, METRICS, CURVE, CHECKPOINTS = "run.json", "metrics.csv", "curve.svg", "checkpoints"

Row = dict[str, Any]


class RunFolder:
    """The folder of a run.

    Args:
        path: Where it is; made when something is written.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.checkpoints = self.path / CHECKPOINTS

    def kept_settings(self) -> dict[str, Any] | None:
        """The settings of the run that this folder holds; None if it holds none.

        Raises:
            InputError: The folder holds something else.
        """
        if not self.path.exists() or not any(self.path.iterdir()):
            return None
        try:
            return json.loads((self.path / RUN).read_text())["settings"]
        except (OSError, ValueError, LookupError, TypeError):
            raise InputError(
                f"{self.path} is not empty and holds no run; name another --output"
            ) from None

    def discard(self) -> None:
        """Forgets the run."""
        if self.kept_settings() is not None:
            shutil.rmtree(self.path)

    def begin(self, settings: Settings) -> None:
        """Writes what the run was told and what runs it."""
        from tfvfi.evaluation.results import environment

        about = {
            "settings": vars(settings),
            "environment": environment(),
            "git": git_revision(),
        }
        self.path.mkdir(parents=True, exist_ok=True)
        write_bytes(self.path / RUN, (json.dumps(about, indent=1) + "\n").encode())

    def rows(self) -> list[Row]:
        """What was measured so far, as numbers."""
        try:
            with open(self.path / METRICS, newline="") as file:
                return [_numbers(row) for row in csv.DictReader(file)]
        except OSError:
            return []

    def write_rows(self, rows: list[Row]) -> None:
        """Replaces what was measured, at once."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [names, *([row.get(name, "") for name in names] for row in rows)]
        text = "".join(",".join(map(str, line)) + "\n" for line in lines)
        write_bytes(self.path / METRICS, text.encode())


def git_revision() -> str | None:
    """The commit of this checkout, marked where files differ from it; None outside of one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _numbers(row: dict[str, str]) -> Row:
    numbers = {name: float(value) for name, value in row.items() if value}
    return numbers | {"step": int(numbers["step"])}
