"""Everything on which a result depends, so that work is only resumed with the same settings."""

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
    """Returns everything on which a result depends, in a form that JSON can hold.

    Args:
        inputs: The input files.
        treatment: How the frames are interpolated.
        encoding: How the output is encoded.
        model: A loaded network or the `ModelSpec` of one.
    """
    treated = {name: str(value) for name, value in asdict(treatment).items()}
    # These determine whether there is a result, but do not change it.
    del treated["damaged"], treated["max_pixels"]
    return {
        "version": __version__,
        "files": _digest(repr(file_state(path)).encode() for path in inputs),
        "treatment": treated,
        "encoding": asdict(encoding),
        "model": _of_spec(model) if isinstance(model, ModelSpec) else _of_network(model),
    }


def _of_spec(spec: ModelSpec) -> dict[str, Any]:
    """Returns the name and options; files by absolute path and state, in any working directory."""
    return {
        "name": spec.name,
        "weights": _of_value(spec.weights),
        "options": {name: _of_value(value) for name, value in sorted(spec.options.items())},
    }


def _of_value(value: Any) -> Any:
    """Returns the state of a file; anything else, such as "default" or "dis", as a string."""
    if isinstance(value, str | Path) and Path(value).is_file():
        return file_state(value)
    return str(value)


def _of_network(network: Any) -> list[str]:
    """Returns the name of a loaded network and a digest of its weights."""
    variables = getattr(network, "variables", ())
    learned = (np.ascontiguousarray(variable).tobytes() for variable in variables)
    return [getattr(network, "name", type(network).__name__), _digest(learned)]


def _digest(parts: Iterable[bytes]) -> str:
    """Returns a digest of all parts together."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.hexdigest()
