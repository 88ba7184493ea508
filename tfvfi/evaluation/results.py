"""Result files: a table of frames that can be resumed after a kill, and the means of its rows."""

import csv
import io
import json
import math
import os
import platform
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfvfi import __version__
from tfvfi.errors import InputError
from tfvfi.media.tables import ENCODING, ERRORS, finite, write_json

FRAMES, SAMPLES, RUN, SUMMARY = "frames.csv", "samples.csv", "run.json", "summary.json"
# The columns before the metrics: the sample, the frame in it, its time, and the sample's number of
# frames.
KEYS = ("sample", "frame", "time", "of")
# Line ends inside names are not translated.
TEXT: Mapping[str, Any] = {"encoding": ENCODING, "errors": ERRORS, "newline": ""}

Row = dict[str, Any]


class FrameTable:
    """A file with one row for each frame, written sample by sample, which an evaluation resumes.

    Args:
        folder: The folder of `frames.csv` and `run.json`.
        run: Everything that the rows depend on. Rows of a different run are not continued.
        metrics: The names of the metrics.

    Raises:
        InputError: The folder holds the rows of a different run.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any], metrics: Sequence[str]):
        self.path = folder / FRAMES
        self.metrics = list(metrics)
        self.rows: dict[str, list[Row]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        run = {**run, "metrics": self.metrics}
        if self.path.exists():
            _check_same_run(folder, run)
            self._read()
        write_json(folder / RUN, run)
        self._rewrite()

    def append(self, sample: str, rows: list[Row]) -> None:
        """Adds the rows of a sample, which are on disk when this returns."""
        self.rows[sample] = rows
        with self.path.open("a", **TEXT) as file:
            self._writer(file).writerows(rows)
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self) -> None:
        """Writes the file without samples that a kill left incomplete."""
        aside = self.path.with_name(f".{FRAMES}.partial")
        with aside.open("w", **TEXT) as file:
            writer = self._writer(file)
            writer.writeheader()
            for rows in self.rows.values():
                writer.writerows(rows)
        os.replace(aside, self.path)

    def _writer(self, file: Any) -> "csv.DictWriter[str]":
        return csv.DictWriter(file, [*KEYS, *self.metrics])

    def _read(self) -> None:
        with self.path.open(**TEXT) as file:
            # The last line may be cut off anywhere, even within a name that contains line ends.
            whole = file.read().rpartition("\n")[0] + "\n"
        found: dict[str, list[Row]] = {}
        for row in csv.DictReader(io.StringIO(whole, newline="")):
            if None in row.values():
                continue
            numbers = {name: float(row[name]) for name in ("time", *self.metrics)}
            found.setdefault(row["sample"], []).append({**row, **numbers, "of": int(row["of"])})
        self.rows = {name: rows for name, rows in found.items() if len(rows) == rows[0]["of"]}


def sample_rows(rows: Mapping[str, list[Row]], metrics: Sequence[str]) -> list[Row]:
    """Returns one row for each sample, with the means over its frames."""
    return [
        {"sample": sample, "frames": len(frames), **means(frames, metrics)}
        for sample, frames in rows.items()
    ]


def means(frames: Sequence[Row], metrics: Sequence[str]) -> dict[str, float]:
    """Returns the mean of each metric over finite values, so PSNR ignores exact frames."""
    found = {}
    for name in metrics:
        values = [frame[name] for frame in frames if math.isfinite(frame[name])]
        found[name] = statistics.fmean(values) if values else math.inf
    return found


def of_run(rows: Mapping[str, list[Row]], metrics: Sequence[str]) -> dict[str, Any]:
    """Returns the means over all frames and, if there are several times, at each of them."""
    frames = [frame for sample in rows.values() for frame in sample]
    times = sorted({frame["time"] for frame in frames})
    by_time = {
        f"{time:g}": means([frame for frame in frames if frame["time"] == time], metrics)
        for time in times
    }
    return {
        "samples": len(rows),
        "frames": len(frames),
        "frames_equal_to_the_truth": sum(math.isinf(frame["psnr"]) for frame in frames),
        "means": means(frames, metrics),
        "by_time": by_time if len(times) > 1 else {},
    }


def environment() -> dict[str, str]:
    """Returns the versions of the software, and the machine, that compute the results."""
    import cv2
    import keras
    import numpy

    from tfvfi import ops
    from tfvfi.machine import processor

    backend = keras.backend.backend()
    module = __import__({"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}[backend])
    return {
        "tfvfi": __version__,
        "keras": keras.__version__,
        "backend": f"{backend} {module.__version__}",
        "native operations": "yes" if ops.native_available() else "no",
        "numpy": numpy.__version__,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
        "machine": processor(),
    }


def _check_same_run(folder: Path, run: Mapping[str, Any]) -> None:
    path = folder / RUN
    before = json.loads(path.read_text()) if path.exists() else {}
    now = json.loads(json.dumps(finite(run)))
    different = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if different:
        raise InputError(
            f"{folder} holds results of another run, which differs in {', '.join(different)}; "
            "choose another folder, or pass `overwrite=True`"
        )


def discard(folder: Path) -> None:
    """Removes the results in a folder, with their pictures and videos."""
    for name in (FRAMES, SAMPLES, RUN):
        (folder / name).unlink(missing_ok=True)
    for name in ("images", "videos"):
        shutil.rmtree(folder / name, ignore_errors=True)
