"""A bar chart of times as one SVG file, for light and dark backgrounds."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from tfvfi.benchmark.networks import Measured

LABELS, BARS, NUMBERS, ROW, MARGIN = 210, 420, 190, 24, 16
COLORS = {"float32": "#2f6db5", "bfloat16": "#d0802b"}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d2126}.head{font-weight:600}.spread{stroke:#1d2126}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e6e1}.paper{fill:#16181c}"
    ".spread{stroke:#e8e6e1}}"
)


def write_chart(rows: Sequence[Measured], machine: Sequence[str], path: Path) -> None:
    """Writes a chart of median seconds, grouped by network and size, with the spread as a line."""
    path.write_text(chart(rows, machine), encoding="utf-8")


def chart(rows: Sequence[Measured], machine: Sequence[str]) -> str:
    """Returns the SVG text of the chart, with the lines of `machine` at the bottom."""
    y = MARGIN + ROW
    drawn = [_text(MARGIN, y - 8, "Seconds a frame, median and spread; less is better", "head")]
    for (network, size), group in groupby(rows, lambda row: (row.network, row.size)):
        bars = list(group)
        drawn.append(_text(MARGIN, y + ROW, f"{network}, {size}", "head"))
        y += 1.5 * ROW
        longest = max(row.highest_s for row in bars)
        for row in bars:
            drawn += _bar(row, y, BARS / longest)
            y += ROW
    for line in machine:
        y += ROW
        drawn.append(_text(MARGIN, y, line))
    width, height = LABELS + BARS + NUMBERS, y + MARGIN
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width:.0f}" height="{height:.0f}" fill="#fbfaf7"/>',
            *drawn,
            "</svg>\n",
        )
    )


def _bar(row: Measured, y: float, pixels_a_second: float) -> list[str]:
    middle = y + ROW / 2
    end, lowest, highest = (
        LABELS + seconds * pixels_a_second
        for seconds in (row.median_s, row.lowest_s, row.highest_s)
    )
    return [
        _text(MARGIN, middle + 4, f"{row.engine} {row.precision}"),
        f'<rect x="{LABELS}" y="{y + 3:.1f}" width="{end - LABELS:.1f}" height="{ROW - 6}" rx="3" '
        f'fill="{COLORS[row.precision]}"/>',
        f'<line class="spread" x1="{lowest:.1f}" x2="{highest:.1f}" y1="{middle:.1f}" '
        f'y2="{middle:.1f}"/>',
        _text(LABELS + BARS + 8, middle + 4, f"{row.median_s:.3f} s  ({row.speed:.2f}x)"),
    ]


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{marked}>{escape(text)}</text>'
