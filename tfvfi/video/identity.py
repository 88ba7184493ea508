"""Everything that an outcome depends on, so that work is continued as it was begun."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import __version__
from tfvfi.media.storage import file_state
from tfvfi.registry import ModelSpec
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding


def identity(
    inputs: Sequence[str | Path],
    treatment: Treatment,
    encoding: Encoding,
    model: ModelSpec | FrameInterpolator,
) -> dict[str, Any]:
    """Everything that an outcome depends on, as JSON can hold it.

    Args:
        inputs: The files themselves.
        treatment: What is done with them.
        encoding: How the output is encoded.
        model: A network, loaded or not.
    """
    treated = {name: str(value) for name, value in asdict(treatment).items()}
    # These decide whether there is an outcome, and not which.
    del treated["damaged"], treated["max_pixels"]
    return {
        "version": __version__,
        "files": _digest(repr(file_state(path)).encode() for path in inputs),
        "treatment": treated,
        "encoding": asdict(encoding),
        "model": _of_spec(model) if isinstance(model, ModelSpec) else _of_network(model),
    }


def _of_spec(spec: ModelSpec) -> dict[str, Any]:
    """The name, and the files in their state wherever the work is continued from."""
    return {
        "name": spec.name,
        "weights": _of_value(spec.weights),
        "options": {name: _of_value(value) for name, value in sorted(spec.options.items())},
    }


def _of_value(value: Any) -> Any:
    """A file in its state; anything else, such as "default" or "dis", as it is written."""
    if isinstance(value, str | Path) and Path(value).is_file():
        return file_state(value)
    return str(value)


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
