"""What the tests of the scripts in `benchmarks/` share."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    """Imports a module as the scripts do, which find their neighbors first."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module
