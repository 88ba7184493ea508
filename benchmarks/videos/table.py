"""The table of whole videos: its rows, and the page that shows them."""

import datetime
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sheets

from tfvfi import machine
from videos.chains import Run

PLACE = ("size", "frames", "chain", "machine")


@dataclass(frozen=True)
class Row:
    """One chain with clips of one size and length. All values are text or numbers."""

    size: str
    frames: int
    """Of the source."""
    chain: str
    rounds: int
    median_s: float | None
    """Of the whole process."""
    lowest_s: float | None
    highest_s: float | None
    over_first: float | None
    """The time over that of the first chain."""
    pair_s: float | None
    """Seconds for each pair of source frames, after the network's first call."""
    network: float | None
    """The network's share of that time."""
    tail_s: float | None
    """Seconds after the network's last call."""
    peak_mib: float | None
    note: str
    """Why there is no time."""
    clip: str
    """Where the content comes from."""
    machine: str
    measured: str
    """The date."""


def rows(
    size: str, frames: int, clip: str, runs: Mapping[str, Sequence[Run]], first: str
) -> Iterator[Row]:
    """Yields the rows of all chains for one clip.

    Args:
        size: The width x height of the clip.
        frames: Its number of frames.
        clip: Where its content comes from.
        runs: Every run by the name of the chain.
        first: The chain to whose time the others are related.
    """
    medians = {
        chain: statistics.median(each.seconds for each in done)
        for chain, done in runs.items()
        if not any(each.refused for each in done)
    }
    for chain, done in runs.items():
        median, reference = medians.get(chain), medians.get(first)
        done_well = done if median else []
        seconds = [each.seconds for each in done_well]
        shares = [each.shares for each in done_well if each.shares and each.shares.calls]
        yield Row(
            size=size,
            frames=frames,
            chain=chain,
            rounds=len(done_well),
            median_s=_rounded(median, 2),
            lowest_s=_rounded(min(seconds, default=None), 2),
            highest_s=_rounded(max(seconds, default=None), 2),
            over_first=_rounded(median / reference if median and reference else None, 3),
            pair_s=_median([each.seconds_a_pair(frames) for each in shares], 3),
            network=_median([each.network for each in shares], 4),
            tail_s=_median([each.tail_s for each in shares], 2),
            peak_mib=_rounded(max((each.peak_mib for each in done_well), default=None), 0),
            note=next((each.refused for each in done if each.refused), ""),
            clip=clip,
            machine=machine.describe(),
            measured=datetime.date.today().isoformat(),
        )


def write(found: Sequence[Row], folder: Path) -> None:
    """Writes video.csv and video.md, with those rows of an earlier table that were not replaced."""
    every = sheets.replaced(sheets.read(folder / "video.csv", Row), found, PLACE)
    every.sort(key=lambda row: (row.machine, _pixels(row.size), row.frames))
    sheets.write(every, markdown(every), folder, "video")


def markdown(found: Sequence[Row]) -> str:
    """Returns the table as Markdown."""
    lines = [
        "# Whole videos, twice the rate",
        "",
        "Written by `benchmarks/video.py`; `docs/guides/speed.md` explains it. Seconds are those "
        "of the whole process, from its start to the finished file. The seconds for each pair of "
        "source frames, and the network's share of them, are counted from the end of the network's "
        "first call, which compiles and allocates, to the finished file. The tail is what remains "
        "to be encoded after the network's last call: H.264 looks 40 frames ahead.",
    ]
    headings = groupby(found, lambda row: (row.machine, row.size, row.frames, row.clip))
    for (on, size, frames, clip), group in headings:
        lines += ["", f"## {frames} frames of {size}, from {clip}, on {on}", ""]
        lines += [
            "| chain | seconds | lowest to highest | relative | seconds a pair | in the network "
            "| tail, s | peak, MiB | |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for row in group:
            cells = [row.chain, sheets.number(row.median_s, ".1f")]
            cells += [sheets.spread(row.lowest_s, row.highest_s, ".1f")]
            cells += [sheets.number(row.over_first, ".2f"), sheets.number(row.pair_s, ".2f")]
            cells += [sheets.number(row.network, ".1%"), sheets.number(row.tail_s, ".1f")]
            cells += [sheets.number(row.peak_mib, ".0f")]
            lines.append(sheets.line([*cells, row.note]))
    return "\n".join(lines) + "\n"


def _pixels(size: str) -> int:
    width, _, height = size.partition("x")
    return int(width) * int(height)


def _median(values: Sequence[float], digits: int) -> float | None:
    return _rounded(statistics.median(values), digits) if values else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
