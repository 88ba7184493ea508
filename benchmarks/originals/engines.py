"""Runs the authors' network in each engine.

Each function returns one that runs the network once on its inputs and returns the raw result.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from originals.catalog import TENSORFLOW, TORCH
from originals.subject import Subject
from tfvfi.errors import InputError

Run = Callable[[], Any]


def eager(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """PyTorch, operation by operation."""
    return _in_torch(subject.network, subject.inputs, precision)


def channels_last(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """PyTorch, operation by operation, with weights and frames in channels-last memory."""
    return _in_torch(*_channels_last(subject), precision)


def compiled(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """PyTorch through torch.compile."""
    return _compiled(subject.network, subject.inputs, precision)


def compiled_last(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """PyTorch through torch.compile, in channels-last memory."""
    return _compiled(*_channels_last(subject), precision)


def openvino(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """OpenVINO, from the network as an ONNX file."""
    import openvino

    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": hint,
    }
    model = openvino.Core().compile_model(_onnx_file(subject, folder), "CPU", settings)
    arrays = [each.numpy() for each in subject.inputs]
    return lambda: _tensor(model(arrays)[0])


def onnxruntime(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """ONNX Runtime, which has no bfloat16 for processors."""
    import onnxruntime

    if precision != "float32":
        raise InputError(f"ONNX Runtime does not compute in {precision} on processors")
    file = _onnx_file(subject, folder)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    # An input that the graph does not depend on is not in the file.
    arrays = {
        each.name: given.numpy()
        for each, given in zip(session.get_inputs(), subject.inputs, strict=False)
    }
    return lambda: _tensor(session.run(None, arrays)[0])


def tensorflow(subject: Subject, precision: str, threads: int, folder: Path) -> Run:
    """TensorFlow as one graph."""
    import tensorflow as tf

    if precision == "bfloat16":
        tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
    return lambda: subject.network(*subject.inputs)


ENGINES: Mapping[str, Mapping[str, Callable[[Subject, str, int, Path], Run]]] = {
    TORCH: {
        "eager": eager,
        "channels_last": channels_last,
        "compile": compiled,
        "compile_channels_last": compiled_last,
        "openvino": openvino,
        "onnxruntime": onnxruntime,
    },
    TENSORFLOW: {"tensorflow": tensorflow},
}


def _in_torch(network: Any, inputs: tuple[Any, ...], precision: str) -> Run:
    import torch

    def run() -> Any:
        half = contextlib.nullcontext()
        if precision == "bfloat16":
            half = torch.autocast("cpu", torch.bfloat16)
        with torch.inference_mode(), half:
            return network(*inputs)

    return run


def _compiled(network: Any, inputs: tuple[Any, ...], precision: str) -> Run:
    import torch

    # Some networks keep grids in a dictionary, which a compiled function must not change.
    _in_torch(network, inputs, precision)()
    return _in_torch(torch.compile(network), inputs, precision)


def _channels_last(subject: Subject) -> tuple[Any, tuple[Any, ...]]:
    import torch

    memory = torch.channels_last
    inputs = tuple(
        each.to(memory_format=memory) if each.ndim == 4 else each for each in subject.inputs
    )
    return subject.network.to(memory_format=memory), inputs


def _onnx_file(subject: Subject, folder: Path) -> Path:
    """Returns the network as an ONNX file, which is kept in `folder` for later turns."""
    import torch

    path = folder / "original.onnx"
    if not path.exists():
        # The file appears only when it is complete: a time limit may end the process.
        unfinished = path.with_name("unfinished.onnx")
        torch.onnx.export(
            subject.network,
            subject.inputs,
            str(unfinished),
            dynamo=not subject.branches,
            optimize=False,
            external_data=False,
            verbose=False,
        )
        unfinished.rename(path)
    return path


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(array)
