"""Draws the progress of a training as SVG, which needs no library and scales without loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT, GAP = 480, 300, 70
# Names are listed one below the other, since they may be long and many.
LEGEND, LINE = 38, 18
COLORS = ("#1f6fb4", "#d9622b", "#2f9e5f", "#8a56b8", "#b8962e", "#767676")
STYLE = "font-family='sans-serif' font-size='12' fill='#333'"
Row = Mapping[str, float]


@dataclass(frozen=True)
class Axis:
    """Maps values to positions along a side of a plot.

    Attributes:
        low: The value at its start.
        high: The value at its end.
        length: Its length in pixels.
        logarithmic: Whether the scale is logarithmic.
    """

    low: float
    high: float
    length: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Returns the position of a value."""
        low, high, value = map(self._scaled, (self.low, self.high, value))
        return self.length * (value - low) / (high - low)

    def marks(self) -> list[float]:
        """Returns about five round values to label the axis with.

        Example:
            >>> Axis(0, 1000, 480).marks()
            [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
        """
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            marks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        else:
            rough = (self.high - self.low) / 5
            unit = 10.0 ** math.floor(math.log10(rough))
            step = next(unit * digit for digit in (1, 2, 5, 10) if unit * digit >= rough * 0.999)
            first = math.ceil(self.low / step)
            marks = [step * number for number in range(first, math.floor(self.high / step) + 1)]
        slack = 1e-9 * abs(self.high)
        return [mark for mark in marks if self.low - slack <= mark <= self.high + slack]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


def draw(rows: Sequence[Row]) -> str:
    """Draws loss and PSNR over the steps, of training and of every validation, as SVG."""
    names = dict.fromkeys(name for row in rows for name in row)
    panels = [("loss", [name for name in names if name.endswith("/loss")], True)]
    if psnrs := [name for name in names if name.endswith("/psnr")]:
        panels.append(("PSNR, dB", psnrs, False))
    drawn = [
        f"<g transform='translate({GAP + number * (WIDTH + GAP)},30)'>{_panel(rows, *panel)}</g>"
        for number, panel in enumerate(panels)
    ]
    lines = max(len(shown) for _, shown, _ in panels)
    size = GAP / 2 + len(panels) * (WIDTH + GAP), HEIGHT + LEGEND + 24 + LINE * lines
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{size[0]:g}' height='{size[1]}'>"
        f"<rect width='100%' height='100%' fill='white'/>{''.join(drawn)}</svg>\n"
    )


def _panel(rows: Sequence[Row], title: str, names: Sequence[str], logarithmic: bool) -> str:
    lines = {
        name: [(row["step"], row[name]) for row in rows if math.isfinite(row.get(name, math.nan))]
        for name in names
    }
    values = [value for line in lines.values() for _, value in line]
    logarithmic = logarithmic and min(values, default=0) > 0
    x = Axis(0, max(row["step"] for row in rows), WIDTH)
    y = Axis(*_range(values, logarithmic), HEIGHT, logarithmic)
    parts = [f"<text x='0' y='-12' {STYLE} font-weight='bold'>{escape(title)}</text>"]
    for mark in y.marks():
        at = HEIGHT - y.place(mark)
        parts.append(f"<path d='M0 {at:.1f}H{WIDTH}' stroke='#ddd'/>")
        parts.append(f"<text x='-8' y='{at + 4:.1f}' text-anchor='end' {STYLE}>{mark:.4g}</text>")
    for mark in x.marks():
        at = x.place(mark)
        parts.append(
            f"<text x='{at:.1f}' y='{HEIGHT + 18}' text-anchor='middle' {STYLE}>{mark:g}</text>"
        )
    parts.append(
        f"<text x='{WIDTH}' y='{HEIGHT + LEGEND}' text-anchor='end' {STYLE}>steps</text>"
        f"<path d='M0 0V{HEIGHT}H{WIDTH}' fill='none' stroke='#888'/>"
    )
    for number, (name, line) in enumerate(lines.items()):
        color = COLORS[number % len(COLORS)]
        places = [f"{x.place(step):.1f},{HEIGHT - y.place(value):.1f}" for step, value in line]
        parts.append(
            f"<polyline points='{' '.join(places)}' fill='none' stroke='{color}' stroke-width='2'/>"
        )
        at = HEIGHT + LEGEND + LINE * number
        parts.append(
            f"<path d='M0 {at - 4}h16' stroke='{color}' stroke-width='2'/>"
            f"<text x='20' y='{at}' {STYLE}>{escape(name)}</text>"
        )
    return "".join(parts)


def _range(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """Returns the range of the values with a small margin."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if logarithmic:
        return low / 1.1, high * 1.1
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room
