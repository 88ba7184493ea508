"""The table of all measurements: rows, merging with an earlier table, CSV and Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sheets
from sheets import line, number, spread

from tfvfi.benchmark.engines import OWN

PLACE = ("network", "size", "precision", "machine", "threads")


@dataclass(frozen=True)
class Row:
    """One engine with one network at one size in one precision. All values are text or numbers."""

    network: str
    size: str
    precision: str
    engine: str
    """"tfvfi" is ours; all others run the original."""
    version: str
    runs: int
    median_s: float | None
    lowest_s: float | None
    highest_s: float | None
    ours_is_faster: float | None
    """The engine's time over ours in the same precision: 2 is twice as fast."""
    difference: float | None
    """The largest difference from our output in the first precision measured, divided by the
    largest value of that output."""
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


def merged(earlier: Sequence[Row], new: Sequence[Row], order: Sequence[str]) -> list[Row]:
    """Returns all rows, without those earlier ones that were measured again.

    Args:
        earlier: The rows of the table so far.
        new: Rows that replace those of the same network, size, precision, machine and threads.
        order: The networks in the order of the table.
    """
    places = {name: place for place, name in enumerate(order)}
    # Engines keep the order in which they were measured.
    return sorted(
        sheets.replaced(earlier, new, PLACE),
        key=lambda row: (
            row.machine,
            row.size,
            places.get(row.network, len(places)),
            row.precision != "float32",
        ),
    )


def write(rows: Sequence[Row], folder: Path) -> None:
    """Writes peers.csv and peers.md."""
    sheets.write(rows, markdown(rows), folder, "peers")


def markdown(rows: Sequence[Row]) -> str:
    """Returns the table as Markdown: who is fastest, all engines, and where originals come from."""
    lines = [
        "# Every network beside the one its authors published",
        "",
        "Written by `benchmarks/peers.py`; `docs/guides/speed.md` explains it. Seconds are medians "
        "of interleaved rounds, each engine in a process of its own. The ratio is the time of the "
        "other over ours: above 1, ours is faster. The difference is the largest one from our "
        "output, in parts of its largest value, with the same weights.",
    ]
    for heading, group in groupby(rows, lambda row: (row.machine, row.size)):
        section = list(group)
        lines += ["", f"## {heading[1]} on {heading[0]}", "", *_summary(section)]
        lines += ["", *_details(section), "", *_origins(section)]
    return "\n".join(lines) + "\n"


def fastest(rows: Iterable[Row]) -> Row | None:
    """Returns the row of the fastest engine that runs the original, if any does."""
    others = [row for row in rows if row.engine != OWN and row.median_s]
    return min(others, key=lambda row: row.median_s, default=None)


def _summary(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| network | precision | ours, s | fastest other, s | engine | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for (network, precision), group in groupby(rows, lambda row: (row.network, row.precision)):
        section = list(group)
        ours = next((row for row in section if row.engine == OWN), None)
        other = fastest(section)
        cells = [network, precision, _seconds(ours), _seconds(other)]
        cells += [other.engine, number(other.ours_is_faster, ".2f")] if other else ["none", ""]
        lines.append(line(cells))
    return lines


def _details(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| network | precision | engine | median, s | lowest to highest | runs | ratio "
        "| difference | peak, MiB | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        named = f"{row.engine} ({row.version})" if row.version else row.engine
        lines.append(
            line(
                [
                    row.network,
                    row.precision,
                    named,
                    _seconds(row),
                    spread(row.lowest_s, row.highest_s, ".3f"),
                    str(row.runs),
                    number(row.ours_is_faster, ".2f"),
                    number(row.difference, ".1e"),
                    number(row.peak_mib, ".0f"),
                    "" if row.median_s else row.note,
                ]
            )
        )
    return lines


def _origins(rows: Sequence[Row]) -> list[str]:
    lines = ["| network | original | licence | how it is run |", "|---|---|---|---|"]
    for network, group in groupby(rows, lambda row: row.network):
        section = list(group)
        original = next((row for row in section if row.median_s and row.engine != OWN), section[0])
        lines.append(line([network, original.original, original.licence, original.note]))
    return lines


def _seconds(row: Row | None) -> str:
    return number(row.median_s, ".3f") if row else ""
