"""Converts a network for several engines and runs it in each of them.

Each function here runs in a separate process; see `worker`. It returns a function that maps frames
(and a time) to the output, all of them NumPy arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from tfvfi.benchmark.task import Task, main_output
from tfvfi.errors import ArgumentError, InputError

Run = Callable[..., np.ndarray]
OWN = "tfvfi"


@dataclass(frozen=True)
class Engine:
    """Software that runs networks.

    Attributes:
        packages: The packages that must be installed.
        forms: The ways in which it can run networks.
        needs: The kind of file to which networks are converted for it first, if any.
        precisions: The precisions that it supports on the CPU.
    """

    packages: tuple[str, ...]
    forms: tuple[str, ...]
    needs: str | None = None
    precisions: tuple[str, ...] = ("float32", "bfloat16")


ENGINES: Mapping[str, Engine] = {
    OWN: Engine(("tensorflow",), (OWN,)),
    "torch": Engine(("torch",), ("torch", "torch compiled")),
    "onnxruntime": Engine(
        ("onnxruntime", "torch", "onnx", "onnxscript"), ("onnxruntime",), "onnx", ("float32",)
    ),
    "openvino": Engine(("openvino", "torch", "onnx", "onnxscript"), ("openvino",), "onnx"),
    "ncnn": Engine(("ncnn", "pnnx", "torch"), ("ncnn",), "ncnn"),
}


def check_installed(names: list[str]) -> None:
    """Raises `InputError` for engines that are unknown or not installed."""
    for name in names:
        if name not in ENGINES or name == OWN:
            known = ", ".join(engine for engine in ENGINES if engine != OWN)
            raise ArgumentError(f"tfvfi is compared with {known}. Received: {name!r}")
        missing = [package for package in ENGINES[name].packages if find_spec(package) is None]
        if missing:
            raise InputError(
                f"the comparison with {name} needs {', '.join(missing)}, not installed here: "
                f"pip install {' '.join(missing)}, or leave {name} out of `vs`"
            )


def tfvfi(task: Task) -> Run:
    """Returns a function that runs Keras on TensorFlow as one graph."""
    import keras
    import tensorflow as tf

    from tfvfi import registry
    from tfvfi.tracing import compiled

    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[task.precision]
    network = registry.load(task.model, task.weights or None, dtype=policy, **task.options)
    function = main_output(network)
    if network.traceable:
        function = compiled(function)
    return lambda *arrays: keras.ops.convert_to_numpy(function(*map(tf.constant, arrays)))


def torch(task: Task) -> Run:
    """Returns a function that runs PyTorch operation by operation."""
    return _run_torch(task, compiled=False)


def torch_compiled(task: Task) -> Run:
    """Returns a function that runs PyTorch through torch.compile."""
    return _run_torch(task, compiled=True)


def onnxruntime(task: Task) -> Run:
    """Returns a function that runs ONNX Runtime on the CPU."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = task.threads
    session = onnxruntime.InferenceSession(
        f"{task.converted}.onnx", settings, providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))[0]


def openvino(task: Task) -> Run:
    """Returns a function that runs OpenVINO on the CPU."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": task.threads,
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[task.precision],
    }
    compiled = openvino.Core().compile_model(f"{task.converted}.onnx", "CPU", settings)
    return lambda *arrays: compiled(list(arrays))[0]


def ncnn(task: Task) -> Run:
    """Returns a function that runs ncnn on the CPU."""
    import ncnn

    network = ncnn.Net()
    network.opt.num_threads = task.threads
    network.opt.use_bf16_storage = task.precision == "bfloat16"
    for precision in ("packed", "storage", "arithmetic"):
        setattr(network.opt, f"use_fp16_{precision}", False)
    if network.load_param(f"{task.converted}.ncnn.param"):
        raise InputError("ncnn does not know every operation of the converted network")
    network.load_model(f"{task.converted}.ncnn.bin")
    inputs, (output,) = network.input_names(), network.output_names()

    def run(*arrays: np.ndarray) -> np.ndarray:
        extractor = network.create_extractor()
        for name, array in zip(inputs, arrays, strict=True):
            one = array[0] if array.ndim == 4 else array
            extractor.input(name, ncnn.Mat(np.ascontiguousarray(one)).clone())
        return np.array(extractor.extract(output)[1])[None]

    return run


def convert_onnx(task: Task) -> None:
    """Writes the network as an ONNX file."""
    import torch

    from tfvfi.benchmark import torch_network

    program, inputs = torch_network.exported(task)
    torch.onnx.export(program, inputs, f"{task.converted}.onnx", dynamo=True, verbose=False)


def convert_ncnn(task: Task) -> None:
    """Writes the network as files for ncnn."""
    import pnnx
    import torch

    from tfvfi.benchmark import torch_network

    program, inputs = torch_network.exported(task)
    module = torch_network.without_aliases(program)
    torch.jit.trace(module, inputs).save(f"{task.converted}.pt")
    pnnx.convert(f"{task.converted}.pt", inputs, fp16=False)


def _run_torch(task: Task, compiled: bool) -> Run:
    import torch

    from tfvfi.benchmark import torch_network

    torch.set_num_threads(task.threads)
    # The graph consists of PyTorch's own operations, so that Keras takes no time.
    graph = torch_network.exported(task)[0].module()
    if compiled:
        graph = torch.compile(graph)

    def run(*arrays: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return graph(*map(torch.from_numpy, arrays)).numpy()

    return run


FORMS: Mapping[str, Callable[[Task], Any]] = {
    OWN: tfvfi,
    "torch": torch,
    "torch compiled": torch_compiled,
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "ncnn": ncnn,
    "to onnx": convert_onnx,
    "to ncnn": convert_ncnn,
}
