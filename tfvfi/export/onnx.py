"""Writes an ONNX file for any size and measures how far ONNX Runtime is from the SavedModel."""

import contextlib
import io
import logging
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfvfi.errors import InputError
from tfvfi.export import freeze, sample
from tfvfi.models.base import Network

TOLERANCE = 1e-3
OPSET = 17
# The second size has prime sides, so it needs the padding inside the graph.
SIZES = ((128, 192), (101, 67))


def write(folder: Path, model: Network, compute: Any) -> dict[str, Any]:
    """Converts the graph, for batches and frames of any size.

    Args:
        folder: Where the file goes.
        model: The network.
        compute: Its graph for any size.

    Returns:
        The file's name, its bytes, and the largest difference of its output.

    Raises:
        InputError: The converter is missing, or the network does not convert.
    """
    content = _converted(model, compute)
    difference = max(_difference(content, model, compute, size) for size in SIZES)
    # Not "greater than", because NaN is wrong, too.
    if not difference <= TOLERANCE:
        raise InputError(f"{model.name} does not convert to ONNX: it differs by {difference}")
    path = folder / f"{model.name}.onnx"
    path.write_bytes(content)
    return {"file": path.name, "bytes": len(content), "difference": difference}


def check_installed() -> None:
    """Raises `InputError` if the converter or the runtime that checks it is missing."""
    try:
        # It warns about NumPy names that it does not use here.
        with contextlib.redirect_stderr(io.StringIO()):
            import onnxruntime  # noqa: F401
            import tf2onnx  # noqa: F401
    except ImportError as error:
        # tf2onnx requires an older protobuf than TensorFlow does, but runs with TensorFlow's.
        raise InputError(
            f"an ONNX file needs {error.name}, which is not installed: pip install onnx "
            "onnxruntime && pip install --no-deps tf2onnx"
        ) from None


def _converted(model: Network, compute: Any) -> bytes:
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    constant = freeze.constant(compute)
    try:
        converted, _ = tf2onnx.convert.from_graph_def(
            constant.graph.as_graph_def(),
            input_names=[tensor.name for tensor in constant.inputs],
            output_names=[tensor.name for tensor in constant.outputs],
            opset=OPSET,
        )
    except Exception as error:  # The converter raises whatever its passes raise.
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
        raise InputError(f"{model.name} does not convert to ONNX: {reason}") from None
    _rename(converted.graph, model)
    return converted.SerializeToString()


def _rename(graph: Any, model: Network) -> None:
    """Renames inputs and outputs from TensorFlow's "frame0:0" to the names of the SavedModel."""
    output = "frame" if "time" in model.input_names else "flow"
    names = dict(
        zip([each.name for each in graph.input], model.input_names, strict=True),
        **{graph.output[0].name: output},
    )
    for each in (*graph.input, *graph.output):
        each.name = names[each.name]
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _difference(content: bytes, model: Network, compute: Any, size: tuple[int, int]) -> float:
    import onnxruntime

    inputs = sample.inputs(model, 1, *size)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, inputs)
    wanted = compute(*(tf.constant(inputs[key]) for key in model.input_names))
    return sample.difference(model, found, wanted)
