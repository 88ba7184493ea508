"""Training data: records made from videos, batches read from records, and public benchmarks."""

import importlib
from typing import Any

# Public name -> the module that holds it; imported on first use.
_HOMES = {
    "create": "tfvfi.data.making",
    "load": "tfvfi.data.pipeline",
    "Samples": "tfvfi.data.samples",
    "iterate": "tfvfi.data.batches",
    "plain_errors": "tfvfi.data.pipeline",
}
_MODULES = ("benchmarks",)

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"tfvfi.data.{name}")
    raise AttributeError(f"module 'tfvfi.data' has no attribute '{name}'")
