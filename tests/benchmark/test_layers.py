"""The profile of a network: its operations and layers, with their work."""

import re
import runpy
from pathlib import Path

import keras
import pytest

from tfvfi.ops import native

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "layers.py"

if keras.backend.backend() != "tensorflow" or not native.available():
    pytest.skip("the native operations are not there", allow_module_level=True)


def test_the_layers_of_a_network():
    profile = runpy.run_path(str(SCRIPT))["profile"]
    lines = list(profile("superslomo", 64, 64, "float32", 1, 100))
    # The operations that were counted by hand: 7 x 7 taps, 32 channels in and out.
    (row,) = [line for line in lines if re.search(r" flow\w*/encoder1\w*/conv2\w*: ", line)]
    assert row.split()[2] == f"{2e-9 * 64 * 64 * 49 * 32 * 32:.1f}"
    assert row.endswith("TfvfiLargeConvolution")
    assert any("TfvfiConvolution (" in line for line in lines)
    assert lines[0].startswith("\nsuperslomo at 64x64")
