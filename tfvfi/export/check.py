"""Is an export what its model is? Asked of a fresh process that has neither Keras nor tfvfi."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvfi.errors import InputError
from tfvfi.export import files, sample
from tfvfi.models.base import FlowEstimator, Network

# Never imported: it takes Keras and tfvfi away from the process that runs it.
SCRIPT = Path(__file__).with_name("fresh_process.py")
# Batch, height and width; odd ones among them. The last one is for the speed.
SIZES = ((1, 64, 96), (2, 51, 83), (1, 256, 448))
# The same for signatures other than the default.
SMALL = 2, 37, 50
# What native operations, another order of sums and, with mixed precision, bfloat16 may change.
TOLERANCE = {"float32": 2e-4, "bfloat16": 5e-2}
LEVEL = 1 / 255

Arrays = dict[str, np.ndarray]


def as_a_stranger(folder: Path, model: Network, encoded_as: str | None = None) -> dict[str, Any]:
    """Compares an export with its Keras model.

    Args:
        folder: The export.
        model: What was exported.
        encoded_as: What `interpolate_encoded` returns, where there is one.

    Returns:
        "differences" of the default signature, the largest for each size; "operations", the names
        of all that are used; "seconds", the median of a call for each size.

    Raises:
        InputError: The export does not load, needs operations that stock TensorFlow lacks, or
            differs.
    """
    cases = {f"{n}x{h}x{w}": sample.inputs(model, n, h, w) for n, h, w in SIZES}
    others = {} if isinstance(model, FlowEstimator) else _in_other_forms(model, encoded_as)
    asked = {name: ("serving_default", inputs) for name, inputs in cases.items()}
    told, answers = _ask(folder, asked | {name: (name, inputs) for name, inputs in others.items()})
    if told["unknown"]:
        raise InputError(
            f"{model.name} was not exported: stock TensorFlow has no {', '.join(told['unknown'])}"
        )
    differences = {}
    for name, inputs in cases.items():
        (answer,) = answers[name].values()
        differences[name] = sample.difference(model, answer, by_keras(model, inputs))
    tolerance = TOLERANCE["bfloat16" if model.compute_dtype == "bfloat16" else "float32"]
    # Not "any greater": NaN is wrong, too.
    if not all(difference <= tolerance for difference in differences.values()):
        raise InputError(
            f"{model.name} was not exported: the SavedModel differs from Keras by {differences}"
        )
    for name, inputs in others.items():
        if not _same_in_other_form(model, name, inputs, answers, tolerance):
            raise InputError(
                f"{model.name} was not exported: {name} gives another frame than Keras"
            )
    return {
        "differences": differences,
        "operations": told["operations"],
        "seconds": {name: told["seconds"][name] for name in cases},
    }


def rounding(model: Network, whole: Network) -> float:
    """What a model with weights of fewer bits differs by from the same with whole ones."""
    inputs = sample.inputs(whole, *SIZES[0])
    return sample.difference(whole, by_keras(model, inputs), by_keras(whole, inputs))


def _in_other_forms(model: Network, encoded_as: str | None) -> dict[str, Arrays]:
    """Pairs as the other signatures take them, by signature."""
    inputs = sample.inputs(model, *SMALL)
    pixels = {key: np.rint(inputs[key] * 255).astype("uint8") for key in ("frame0", "frame1")}
    forms = {"interpolate_uint8": pixels | {"time": inputs["time"]}}
    if encoded_as:
        images = {
            f"{key}_bytes": np.array([tf.io.encode_png(frame).numpy() for frame in frames])
            for key, frames in pixels.items()
        }
        forms["interpolate_encoded"] = images | {"time": inputs["time"]}
    return forms


def _same_in_other_form(
    model: Network, name: str, inputs: Arrays, answers: Mapping[str, Arrays], tolerance: float
) -> bool:
    frames = answers["interpolate_uint8"]["frame"]
    if name == "interpolate_uint8":
        off = np.abs(frames.astype("float32") - by_keras(model, inputs)).max() * LEVEL
        return bool(off <= LEVEL + tolerance)
    found = answers[name]["frame_bytes"]
    kind = "png" if found[0].startswith(files.PNG) else "jpeg"
    return files.encoded(frames, kind).numpy().tolist() == found.tolist()


def _ask(folder: Path, asked: Mapping[str, tuple[str, Arrays]]) -> tuple[dict, dict[str, Arrays]]:
    """What the fresh process tells of the export, and its answers by case and output."""
    with tempfile.TemporaryDirectory() as scratch:
        inputs, outputs = Path(scratch, "inputs.npz"), Path(scratch, "outputs.npz")
        arrays = {
            f"{name}/{key}": v for name, (_, case) in asked.items() for key, v in case.items()
        }
        arrays |= {f"{name}/signature": np.array(case[0]) for name, case in asked.items()}
        np.savez(inputs, **arrays)
        command = [sys.executable, str(SCRIPT), str(folder), str(inputs), str(outputs)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise InputError(f"the export does not load in a fresh process: {reason}")
        answers: dict[str, Arrays] = {name: {} for name in asked}
        with np.load(outputs) as found:
            for key in found:
                name, _, output = key.partition("/")
                answers[name][output] = found[key]
    return json.loads(answer.stdout.splitlines()[-1]), answers


def by_keras(model: Network, inputs: Arrays) -> np.ndarray:
    """What the Keras model answers, asked of each example alone."""
    pairs = zip(inputs["frame0"], inputs["frame1"], strict=True)
    if isinstance(model, FlowEstimator):
        return np.stack([model.estimate(*pair) for pair in pairs])
    times = map(float, inputs["time"])
    return np.stack(
        [model.interpolate(*pair, times=(at,))[0] for pair, at in zip(pairs, times, strict=True)]
    )
