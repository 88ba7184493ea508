"""The rows of tables of measurements: read and written as CSV, and formatted as Markdown."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from tfvfi.media import storage, tables

Row = TypeVar("Row")


def read(path: Path, kind: type[Row]) -> list[Row]:
    """Returns the rows of a CSV file, none if it does not exist.

    Args:
        path: The file.
        kind: The dataclass of a row, whose values are text or numbers.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_row(cells, kind) for cells in csv.DictReader(file)]


def replaced(earlier: Iterable[Row], new: Sequence[Row], place: Sequence[str]) -> list[Row]:
    """Returns all rows, without those earlier ones that were measured again.

    Args:
        earlier: The rows of the table so far.
        new: Rows that replace the earlier ones of the same place.
        place: The names of the fields that identify what was measured.
    """
    measured = {_place(row, place) for row in new}
    return [*(row for row in earlier if _place(row, place) not in measured), *new]


def write(rows: Sequence[Any], page: str, folder: Path, name: str) -> None:
    """Writes the rows as a CSV file, and beside it the page that shows them.

    Args:
        rows: At least one row, all of one dataclass.
        page: The Markdown.
        folder: Where the files go.
        name: Their name, without an ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / f"{name}.csv", [asdict(row) for row in rows])
    storage.write_bytes(folder / f"{name}.md", page.encode())


def line(cells: Iterable[str]) -> str:
    """Returns a line of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def number(value: float | None, form: str) -> str:
    """Returns a formatted number; nothing if there is none."""
    return "" if value is None else format(value, form)


def spread(lowest: float | None, highest: float | None, form: str) -> str:
    """Returns the range of formatted numbers; nothing if there is none."""
    return "" if None in (lowest, highest) else f"{lowest:{form}} to {highest:{form}}"


def _place(row: Any, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def _row(cells: dict[str, str], kind: type[Row]) -> Row:
    """Returns a row from the text of its cells; an empty cell of a number is None."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        text = cells[field.name]
        if field.type is str:
            values[field.name] = text
        elif field.type is int:
            values[field.name] = int(text)
        else:
            values[field.name] = float(text) if text else None
    return kind(**values)
