"""All that an outcome depends on, so that interrupted work is continued as it was begun."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

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
        inputs: The files themselves.
        treatment: What is done with them.
        encoding: How the output is encoded.
        model: A name or a network.
        weights: Its file, if it is a name.
        options: Its arguments, likewise.
    """
    treated = {name: str(value) for name, value in asdict(treatment).items()}
    # What was made before the damage is the same.
    del treated["damaged"]
    return {
        "version": __version__,
        "files": _digest(repr(of_file(path)).encode() for path in inputs),
        "treatment": treated,
        "encoding": asdict(encoding),
        "model": model if isinstance(model, str) else _of_network(model),
        "weights": of_file(weights) if weights else None,
        "options": {name: _of_option(value) for name, value in options.items()},
    }


def of_file(path: str | Path) -> list[Any]:
    """Which file it is, and in which state."""
    absolute = Path(path).absolute()
    if not absolute.is_file():
        return [str(absolute)]
    found = absolute.stat()
    return [str(absolute), found.st_size, found.st_mtime_ns]


def _of_option(value: Any) -> Any:
    """A number or name, or a file in its state."""
    return of_file(value) if isinstance(value, str | Path) else str(value)


def _of_network(network: Any) -> list[str]:
    """The name of a loaded network, and what it has learned."""
    variables = getattr(network, "variables", ())
    learned = (np.ascontiguousarray(variable).tobytes() for variable in variables)
    return [getattr(network, "name", type(network).__name__), _digest(learned)]


def _digest(parts: Iterable[bytes]) -> str:
    """A short name for all of it."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.hexdigest()
