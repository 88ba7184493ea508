"""Results as files: a table of frames that survives a kill, tables and means made from it."""

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
# Columns before the metrics: the sample, the frame in it, its time, how many the sample has.
KEYS = ("sample", "frame", "time", "of")
# Line ends inside names stay as they are.
TEXT: Mapping[str, Any] = {"encoding": ENCODING, "errors": ERRORS, "newline": ""}

Row = dict[str, Any]


class FrameTable:
    """One row a frame, written sample by sample: what is in the file is never measured again.

    Args:
        folder: Where `frames.csv` and `run.json` lie.
        run: What the rows depend on; rows of another run are not continued.
        metrics: Names of the metrics.
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
        """Adds the frames of a sample; they are on the disk when this returns."""
        self.rows[sample] = rows
        with self.path.open("a", **TEXT) as file:
            self._writer(file).writerows(rows)
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self) -> None:
        """Leaves out whatever a kill left half-written."""
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
            # The last line may have been cut off anywhere, also within a name that has line ends.
            whole = file.read().rpartition("\n")[0] + "\n"
        found: dict[str, list[Row]] = {}
        for row in csv.DictReader(io.StringIO(whole, newline="")):
            if None in row.values():
                continue
            numbers = {name: float(row[name]) for name in ("time", *self.metrics)}
            found.setdefault(row["sample"], []).append({**row, **numbers, "of": int(row["of"])})
        self.rows = {name: rows for name, rows in found.items() if len(rows) == rows[0]["of"]}


def sample_rows(rows: Mapping[str, list[Row]], metrics: Sequence[str]) -> list[Row]:
    """One row a sample: the means over its frames."""
    return [
        {"sample": sample, "frames": len(frames), **means(frames, metrics)}
        for sample, frames in rows.items()
    ]


def means(frames: Sequence[Row], metrics: Sequence[str]) -> dict[str, float]:
    """The mean of each metric; of PSNR over the frames that differ from the truth at all."""
    found = {}
    for name in metrics:
        values = [frame[name] for frame in frames if math.isfinite(frame[name])]
        found[name] = statistics.fmean(values) if values else math.inf
    return found


def of_run(rows: Mapping[str, list[Row]], metrics: Sequence[str]) -> dict[str, Any]:
    """Means over all frames, and at each time where there are several."""
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
    """What computed the numbers."""
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
    """Forgets the results in a folder, and the pictures and videos that were made with them."""
    for name in (FRAMES, SAMPLES, RUN):
        (folder / name).unlink(missing_ok=True)
    for name in ("images", "videos"):
        shutil.rmtree(folder / name, ignore_errors=True)
