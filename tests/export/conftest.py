"""One export that the tests of this folder share."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfvfi
from tests.conftest import alone

ROOT = Path(__file__).parents[2]
WARM_UP = ((64, 96), (48, 80))


@pytest.fixture(scope="session")
def weight_file(shared_folder):
    """Weights of ifrnet_s that make frames which are no average, the same at every run."""
    folder = shared_folder / "weights"
    path = folder / "some.weights.h5"
    with alone(folder) as empty:
        if empty:
            model = tfvfi.load("ifrnet_s", weights=None)
            for index, variable in enumerate(model.variables):
                noise = np.random.default_rng(index).normal(0, 0.05, variable.shape)
                variable.assign(noise.astype("float32"))
            tfvfi.weights.save(model, path, origin="a test", licence="of the test")
    return path


@pytest.fixture(scope="session")
def exported(shared_folder, weight_file):
    """The folder of all versions of one model, with one that the command made."""
    folder = shared_folder / "saved_models"
    output = folder / "ifrnet_s"
    with alone(folder) as empty:
        if empty:
            done = export(
                "--model=ifrnet_s",
                f"--weights={weight_file}",
                f"--output={output}",
                "--encoded",
                "--warm_up=" + ",".join(f"{w}x{h}" for h, w in WARM_UP),
            )
            assert done.returncode == 0, done.stderr
    return output


def export(*arguments: str) -> subprocess.CompletedProcess:
    """Runs the command."""
    command = [sys.executable, "tools/export_model.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
