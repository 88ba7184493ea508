"""tfvfi: video frame interpolation for TensorFlow and Keras.

Importing it is cheap: Keras and its backend are imported only when a model is first needed.

Example:
    >>> import numpy as np, tfvfi
    >>> model = tfvfi.load("flow_interpolation", flow="dis")
    >>> first = np.zeros((64, 96, 3), np.uint8)
    >>> second = np.full((64, 96, 3), 8, np.uint8)
    >>> [frame.shape for frame in model.interpolate(first, second, times=(0.25, 0.5))]
    [(64, 96, 3), (64, 96, 3)]
"""

import importlib
from typing import TYPE_CHECKING, Any

from tfvfi import startup

__version__ = "0.2.0"

# Maps a public name to the module that defines it, which is imported on first use.
_HOMES = {
    "load": "tfvfi.registry",
    "list_models": "tfvfi.registry",
    "register": "tfvfi.registry",
    "interpolate": "tfvfi.registry",
    "interpolate_video": "tfvfi.video",
    "interpolate_frames": "tfvfi.video",
    "stream": "tfvfi.video",
}
_MODULES = (
    *("ops", "layers", "losses", "models", "weights", "registry", "errors"),
    *("checkpoints", "porting", "data", "media", "flow", "video", "evaluation", "training"),
    *("benchmark", "export"),
)

# Spelled out for type checkers, which read the imports below instead of the lazy names.
__all__ = [
    "__version__",
    "benchmark",
    "checkpoints",
    "data",
    "errors",
    "evaluation",
    "export",
    "flow",
    "interpolate",
    "interpolate_frames",
    "interpolate_video",
    "layers",
    "list_models",
    "load",
    "losses",
    "media",
    "models",
    "ops",
    "porting",
    "register",
    "registry",
    "stream",
    "training",
    "video",
    "weights",
]

if TYPE_CHECKING:
    from tfvfi import (
        benchmark,
        checkpoints,
        data,
        errors,
        evaluation,
        export,
        flow,
        layers,
        losses,
        media,
        models,
        ops,
        porting,
        registry,
        training,
        video,
        weights,
    )
    from tfvfi.registry import interpolate, list_models, load, register
    from tfvfi.video import interpolate_frames, interpolate_video, stream


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"tfvfi.{name}")
    raise AttributeError(f"module 'tfvfi' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)


def _announce() -> None:
    importlib.import_module("tfvfi.models.deferred").announce()


# This lets `keras.saving.load_model` find our networks.
startup.after_keras(_announce)
