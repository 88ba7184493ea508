"""Training: the step, the loops that drive it, and runs that survive being killed.

`model.fit` is the simple way to train a network. `train` does what `fit` cannot: it resumes to the
last bit, averages weights, computes a batch in parts and runs on several machines.
"""

import importlib
from typing import Any

# Public name -> the module that holds it; imported on first use.
_HOMES = {"train": "tfvfi.training.session", "Settings": "tfvfi.training.settings"}
_MODULES = ("session", "settings")

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"tfvfi.training.{name}")
    raise AttributeError(f"module 'tfvfi.training' has no attribute '{name}'")
