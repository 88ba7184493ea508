"""Draws a network as an SVG figure: boxes on a grid, joined by arrows."""

from dataclasses import dataclass
from html import escape

COLUMN, ROW = 204, 92
WIDTH, HEIGHT = 172, 56
MARGIN = 18
# Mid-tones are readable on light and on dark pages alike.
KINDS = {
    "data": ("#00897b", "#e0f2f1"),
    "learned": ("#e65100", "#fff3e0"),
    "fixed": ("#546e7a", "#eceff1"),
}
TEXT, LINE = "#263238", "#78909c"


@dataclass(frozen=True)
class Box:
    """A step of a network.

    Attributes:
        name: How arrows refer to it.
        column: Its place from the left; halves are allowed.
        row: Its place from the top.
        title: The first line.
        note: The second line, smaller.
        kind: "data", "learned" (has weights) or "fixed" (has none).
    """

    name: str
    column: float
    row: float
    title: str
    note: str = ""
    kind: str = "learned"

    @property
    def left(self) -> float:
        """The x coordinate of the left edge."""
        return MARGIN + self.column * COLUMN

    @property
    def top(self) -> float:
        """The y coordinate of the top edge."""
        return MARGIN + self.row * ROW


@dataclass(frozen=True)
class Figure:
    """A drawing of a network.

    Attributes:
        about: What a screen reader says.
        boxes: The steps.
        arrows: Pairs of names, "from to".
    """

    about: str
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]

    def svg(self) -> str:
        """The figure as an SVG document."""
        width = max(box.left for box in self.boxes) + WIDTH + MARGIN
        height = max(box.top for box in self.boxes) + HEIGHT + MARGIN
        places = {box.name: box for box in self.boxes}
        arrows = [_arrow(*(places[name] for name in pair.split())) for pair in self.arrows]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
                f'width="{width:g}" role="img" aria-label="{escape(self.about)}" '
                'font-family="system-ui, sans-serif" text-anchor="middle">',
                f"<title>{escape(self.about)}</title>",
                '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
                f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker>'
                "</defs>",
                *arrows,
                *map(_box, self.boxes),
                "</svg>",
            ]
        )


def _box(box: Box) -> str:
    stroke, fill = KINDS[box.kind]
    middle = box.left + WIDTH / 2
    title = box.top + (24 if box.note else 33)
    lines = [
        f'<rect x="{box.left:g}" y="{box.top:g}" width="{WIDTH}" height="{HEIGHT}" rx="8" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>',
        f'<text x="{middle:g}" y="{title:g}" font-size="14" font-weight="600" fill="{TEXT}">'
        f"{escape(box.title)}</text>",
    ]
    if box.note:
        lines.append(
            f'<text x="{middle:g}" y="{box.top + 42:g}" font-size="11" fill="{TEXT}">'
            f"{escape(box.note)}</text>"
        )
    return "".join(lines)


def _arrow(start: Box, end: Box) -> str:
    """A curve from the side of one box to the facing side of the other."""
    if abs(start.column - end.column) < 0.5:
        down = end.row > start.row
        x0, x1 = start.left + WIDTH / 2, end.left + WIDTH / 2
        y0, y1 = (start.top + HEIGHT, end.top) if down else (start.top, end.top + HEIGHT)
        bend = f"C{x0:g} {(y0 + y1) / 2:g} {x1:g} {(y0 + y1) / 2:g}"
    else:
        right = end.column > start.column
        x0, x1 = (start.left + WIDTH, end.left) if right else (start.left, end.left + WIDTH)
        y0, y1 = start.top + HEIGHT / 2, end.top + HEIGHT / 2
        bend = f"C{(x0 + x1) / 2:g} {y0:g} {(x0 + x1) / 2:g} {y1:g}"
    return (
        f'<path d="M{x0:g} {y0:g}{bend} {x1:g} {y1:g}" fill="none" stroke="{LINE}" '
        'stroke-width="1.6" marker-end="url(#tip)"/>'
    )
