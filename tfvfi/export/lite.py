"""Writes a LiteRT (TFLite) file for one size and measures how far it is from the SavedModel."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvfi.errors import InputError
from tfvfi.export import freeze, sample
from tfvfi.models.base import Network

TOLERANCE = 1e-3


def write(folder: Path, model: Network, compute: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Converts the graph for one pair of frames of one size.

    Args:
        folder: Where the file goes.
        model: The network.
        compute: Its graph for any size.
        size: Height and width.

    Returns:
        The file's name, its bytes, and the largest difference of its output.

    Raises:
        InputError: The network uses operations that LiteRT lacks, or its result differs there.
    """
    inputs = sample.inputs(model, 1, *size)
    content = _converted(model, compute, inputs)
    wanted = compute(*(tf.constant(value) for value in inputs.values()))
    difference = sample.difference(model, _run(content, inputs), wanted)
    # Not "greater than", because NaN is wrong, too.
    if not difference <= TOLERANCE:
        raise InputError(f"{model.name} does not convert to LiteRT: it differs by {difference}")
    path = folder / f"{model.name}_{size[0]}x{size[1]}.tflite"
    path.write_bytes(content)
    return {"file": path.name, "bytes": len(content), "difference": difference}


def _converted(model: Network, compute: Any, inputs: dict[str, np.ndarray]) -> bytes:
    specs = [tf.TensorSpec(value.shape, tf.float32, key) for key, value in inputs.items()]
    fixed = tf.function(lambda *tensors: compute(*tensors), autograph=False)
    # The converter drops weights that are variables.
    frozen = freeze.frozen(fixed.get_concrete_function(*specs))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    try:
        return converter.convert()
    except Exception as error:  # The converter raises whatever its compiler raises.
        reason = next(line for line in str(error).splitlines() if line.strip())
        raise InputError(f"{model.name} does not convert to LiteRT: {reason}") from None


def _run(content: bytes, inputs: dict[str, np.ndarray]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It advertises a package that is not part of TensorFlow.
        interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    # LiteRT keeps the names ("serving_default_frame0:0", "frame0"), not the order.
    for detail in interpreter.get_input_details():
        key = next(key for key in inputs if key in detail["name"])
        interpreter.set_tensor(detail["index"], inputs[key])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
