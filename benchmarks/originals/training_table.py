"""The table of training steps: rows, CSV and Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sheets
from sheets import line, number, spread

from tfvfi.benchmark.engines import OWN

PLACE = ("network", "batch_size", "crop_size", "machine", "threads")


@dataclass(frozen=True)
class Row:
    """One engine that trains one network. All values are text or numbers."""

    network: str
    batch_size: int
    crop_size: int
    engine: str
    """"tfvfi" is ours; all others run the original."""
    version: str
    objective: str
    steps: int
    median_s: float | None
    lowest_s: float | None
    highest_s: float | None
    ours_is_faster: float | None
    """The engine's time over ours: 2 is twice as fast."""
    peak_mib: float | None
    original: str
    """Repository and commit."""
    licence: str
    note: str
    """Why the engine gave no time, or what differs from the authors' own setting."""
    machine: str
    threads: int
    measured: str
    """The date."""


def read(path: Path) -> list[Row]:
    """Returns the rows of a CSV file, none if it does not exist."""
    return sheets.read(path, Row)


def merged(earlier: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Returns all rows, without those earlier ones that were measured again."""
    return sheets.replaced(earlier, new, PLACE)


def write(rows: Sequence[Row], folder: Path) -> None:
    """Writes training.csv and training.md."""
    sheets.write(rows, markdown(rows), folder, "training")


def markdown(rows: Sequence[Row]) -> str:
    """Returns the table as Markdown."""
    lines = [
        "# Training steps beside the authors' networks in PyTorch",
        "",
        "Written by `benchmarks/training.py`. Each engine trains in a process of its own, with the "
        "same batch, crop, objective and optimizer, in float32; engines take turns. "
        'The objective "ifrnet" is that of the authors; "l1" is the mean absolute difference, for '
        "networks whose repository contains no code for training. The ratio is the time of the "
        "other over ours: above 1, ours is faster.",
    ]
    for name, group in groupby(rows, lambda row: row.machine):
        section = list(group)
        lines += ["", f"## {name}", "", *_details(section), "", *_origins(section)]
    return "\n".join(lines) + "\n"


def _details(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| network | batch, crop | objective | engine | steps/s | median, s | lowest to highest "
        "| ratio | peak, MiB | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        texts = [row.network, f"{row.batch_size}, {row.crop_size}", row.objective]
        texts += [f"{row.engine} ({row.version})"]
        texts += [number(row.median_s and 1 / row.median_s, ".3f"), number(row.median_s, ".3f")]
        texts += [spread(row.lowest_s, row.highest_s, ".3f")]
        texts += [number(row.ours_is_faster, ".2f"), number(row.peak_mib, ".0f")]
        lines.append(line([*texts, "" if row.median_s else row.note]))
    return lines


def _origins(rows: Sequence[Row]) -> list[str]:
    lines = ["| network | original | licence | how it is run |", "|---|---|---|---|"]
    for network, group in groupby(rows, lambda row: row.network):
        section = [row for row in group if row.engine != OWN]
        first = next((row for row in section if row.median_s), None)
        if first:
            lines.append(line([network, first.original, first.licence, first.note]))
    return lines
