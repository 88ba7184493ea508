"""All that an outcome depends on, so that interrupted work is continued as it was begun."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tfvfi import __version__
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding


def identity(
    inputs: Sequence[str | Path],
    treatment: Treatment,
    encoding: Encoding,
    model: Any,
    weights: str | Path | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    """As JSON can hold it.

    Args:
        inputs: Files, folders or patterns.
        treatment: What is done with them.
        encoding: How the output is encoded.
        model: A name or a network.
        weights: Its file, if it is a name.
        options: Its arguments, likewise.
    """
    return {
        "version": __version__,
        "files": [of_file(path) for path in inputs],
        "treatment": {name: str(value) for name, value in asdict(treatment).items()},
        "encoding": asdict(encoding),
        "model": model if isinstance(model, str) else getattr(model, "name", type(model).__name__),
        "weights": of_file(weights) if weights else None,
        "options": {name: str(value) for name, value in options.items()},
    }


def of_file(path: str | Path) -> list[Any]:
    """Which file it is, and in which state."""
    absolute = Path(path).absolute()
    if not absolute.is_file():
        return [str(absolute)]
    found = absolute.stat()
    return [str(absolute), found.st_size, found.st_mtime_ns]
