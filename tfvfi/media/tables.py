"""Writes tables and descriptions as CSV and JSON files that appear when they are complete."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfvfi.media.storage import write_bytes

# Names of files may hold any bytes.
ENCODING, ERRORS = "utf-8", "surrogateescape"


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows as a CSV file with a header.

    Args:
        path: The file.
        rows: At least one row; the first has all columns.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode(ENCODING, ERRORS))


def write_json(path: str | Path, value: Any) -> None:
    """Writes a value as JSON; numbers that are not finite become null, as JSON has none."""
    write_bytes(path, (json.dumps(finite(value), indent=1, allow_nan=False) + "\n").encode())


def finite(value: Any) -> Any:
    """Returns the value with None in place of every number that is not finite.

    Example:
        >>> finite({"psnr": [31.5, float("inf")]})
        {'psnr': [31.5, None]}
    """
    if isinstance(value, Mapping):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
