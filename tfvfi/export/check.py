"""Is an export what its model is? Asked of a fresh process that has neither Keras nor tfvfi."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator, Network

# Never imported: it takes Keras and tfvfi away from the process that runs it.
SCRIPT = Path(__file__).with_name("fresh_process.py")
# Batch, height and width; odd ones among them. The last one is for the speed.
SIZES = ((1, 64, 96), (2, 51, 83), (1, 256, 448))
# What native operations, another order of sums and, with mixed precision, bfloat16 may change:
# frames in [0, 1], flows as a share of the longest vector.
TOLERANCE = {"float32": 2e-4, "bfloat16": 5e-2}


def as_a_stranger(folder: Path, model: Network) -> dict[str, Any]:
    """Compares an export with its Keras model.

    Returns:
        "differences", the largest for each size; "operations", the names of all that are used;
        "seconds", the median of a call for each size.

    Raises:
        InputError: The export does not load, needs operations that stock TensorFlow lacks, or
            differs.
    """
    cases = {f"{n}x{h}x{w}": _case(n, h, w, model) for n, h, w in SIZES}
    with tempfile.TemporaryDirectory() as scratch:
        inputs, outputs = Path(scratch, "inputs.npz"), Path(scratch, "outputs.npz")
        np.savez(inputs, **{f"{c}/{k}": v for c, case in cases.items() for k, v in case.items()})
        told = _ask(folder, inputs, outputs)
        with np.load(outputs) as answered:
            differences = {
                name: _difference(model, case, answered, name) for name, case in cases.items()
            }
    if told["unknown"]:
        raise InputError(
            f"{model.name} was not exported: stock TensorFlow has no {', '.join(told['unknown'])}"
        )
    tolerance = TOLERANCE["bfloat16" if model.compute_dtype == "bfloat16" else "float32"]
    # Not "any greater": NaN is wrong, too.
    if not all(difference <= tolerance for difference in differences.values()):
        raise InputError(
            f"{model.name} was not exported: the SavedModel differs from Keras by {differences}"
        )
    return {
        "differences": differences,
        "operations": told["operations"],
        "seconds": told["seconds"],
    }


def _ask(folder: Path, inputs: Path, outputs: Path) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), str(folder), str(inputs), str(outputs)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"the export does not load in a fresh process: {reason}")
    return json.loads(answer.stdout.splitlines()[-1])


def _case(batch: int, height: int, width: int, model: Network) -> dict[str, np.ndarray]:
    """A pair of smooth random frames that moved, and a time for each example."""
    noise = np.random.default_rng(height)
    coarse = noise.random((batch, height // 8 + 2, width // 8 + 2, 3))
    fine = coarse.repeat(8, axis=1).repeat(8, axis=2).astype("float32")
    frame0, frame1 = (fine[:, s : s + height, s : s + width] for s in (0, 3))
    case = {"frame0": frame0, "frame1": frame1, "signature": np.array("serving_default")}
    if isinstance(model, FlowEstimator):
        return case
    times = np.linspace(0.3, 0.6, batch) if model.times == "any" else np.resize(model.times, batch)
    return {**case, "time": times.astype("float32")}


def _difference(model: Network, case: dict, answered: Any, name: str) -> float:
    """The largest difference to what the Keras model says of each example alone."""
    worst = 0.0
    for index, (frame0, frame1) in enumerate(zip(case["frame0"], case["frame1"], strict=True)):
        if isinstance(model, FlowEstimator):
            wanted, got = model.estimate(frame0, frame1), answered[f"{name}/flow"][index]
            scale = max(1.0, float(np.abs(wanted).max()))
        else:
            (wanted,) = model.interpolate(frame0, frame1, times=(float(case["time"][index]),))
            got, scale = answered[f"{name}/frame"][index], 1.0
        worst = max(worst, float(np.abs(got - wanted).max()) / scale)
    return worst
