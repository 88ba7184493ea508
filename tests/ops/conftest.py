"""Every test of an operation runs in its portable and, where there is one, its native form."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tfvfi import ops

GOLDEN = Path(__file__).parent.parent / "golden" / "ops"

# Module -> the functions that only the portable form calls.
PORTABLE = {
    "warp": ("_backward_warp",),
    "splat": ("_splat",),
    "correlation": ("_correlation",),
    "local_convolution": ("_separable", "_local"),
    "resize": ("_resize_axis",),
}


def _forms() -> list[str]:
    return ["portable", "native"] if ops.native_available() else ["portable"]


@pytest.fixture(params=_forms())
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Runs the test in one form, and makes sure that it is that one."""
    if request.param == "portable":
        with ops.portable():
            yield request.param
        return

    def wrong(*arguments, **options):
        raise AssertionError("the portable form ran where the native one was asked for")

    for module, names in PORTABLE.items():
        for name in names:
            monkeypatch.setattr(sys.modules[f"tfvfi.ops.{module}"], name, wrong)
    yield request.param


@pytest.fixture(params=["eager", "compiled"])
def tracing(request: pytest.FixtureRequest) -> dict:
    """Options of `value_and_gradients`: as called, or traced for any batch and size."""
    if request.param == "eager":
        return {}
    return {"compiled": True, "unknown": (0, 1, 2)}


@pytest.fixture
def golden() -> Callable[[str], dict[str, np.ndarray]]:
    """Loads a file of reference arrays, channels last."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(GOLDEN / f"{name}.npz") as arrays:
            return {
                key: np.moveaxis(arrays[key], 1, -1) if arrays[key].ndim == 4 else arrays[key]
                for key in arrays.files
            }

    return load


def assert_close(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Demands equal shapes, and differences within tolerance * (1 + |expected|)."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
