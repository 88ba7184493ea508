"""Runs our networks through any Keras backend, and the originals, on a GPU or on the processor.

Frames lie on the device before the clock starts, which stops when the device has finished. Several
processes may prepare and compile at the same time, but while one is timed, no other one computes.
"""

import contextlib
import fcntl
import importlib.metadata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from originals import running
from originals.catalog import options_of
from originals.job import GPU, KERAS, Job, Result
from tfvfi import machine
from tfvfi.errors import InputError

MIB = 2**20


class Processor:
    """The processor, on which a call returns when its work is done."""

    def finish(self) -> None:
        """Waits until the device has finished."""

    def watch(self) -> None:
        """Begins to measure the largest memory."""
        machine.watch_memory()

    def peak_mib(self) -> float:
        """Returns the largest memory since `watch`."""
        return machine.memory_mib("VmHWM")

    def preparing(self) -> contextlib.AbstractContextManager:
        """Returns a context in which PyTorch makes new tensors on the device."""
        return contextlib.nullcontext()


class TorchGPU(Processor):
    """A GPU that PyTorch uses, in exact float32."""

    def __init__(self) -> None:
        import torch

        if not torch.cuda.is_available():
            raise InputError("PyTorch finds no GPU here")
        # By default convolutions round what they multiply to ten bits.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self.torch = torch

    def finish(self) -> None:
        """Waits until the device has finished."""
        self.torch.cuda.synchronize()

    def watch(self) -> None:
        """Begins to measure the largest memory."""
        self.torch.cuda.reset_peak_memory_stats()

    def peak_mib(self) -> float:
        """Returns the largest memory since `watch`."""
        return self.torch.cuda.max_memory_allocated() / MIB

    def preparing(self) -> contextlib.AbstractContextManager:
        """Returns a context in which PyTorch makes new tensors on the device."""
        return self.torch.device("cuda")


class JaxGPU(Processor):
    """A GPU that JAX uses, in exact float32."""

    def __init__(self) -> None:
        import jax

        self.device = jax.devices()[0]
        if self.device.platform != "gpu":
            raise InputError("JAX finds no GPU here")
        jax.config.update("jax_default_matmul_precision", "highest")

    def peak_mib(self) -> float:
        """Returns the largest memory of the process, which JAX cannot forget."""
        return self.device.memory_stats()["peak_bytes_in_use"] / MIB


def run(job: Job) -> Result:
    """Times a network on the job's device and keeps what it returned first."""
    device = _device(job)
    once, output = (_ours if job.engine in KERAS else _theirs)(job, device)

    def finished() -> None:
        once()
        device.finish()

    with _alone(job, waits_for_all=False), device.preparing():
        # Engines that compile do it now.
        np.save(job.output, output(once()))
    seconds: tuple[float, ...] = ()
    if job.runs:
        with _alone(job, waits_for_all=True):
            finished()
            device.watch()
            seconds = running.timed(finished, job)
    package = KERAS.get(job.engine, "torch")
    version = f"{package} {importlib.metadata.version(package)}"
    return Result("", version, seconds, device.peak_mib())


def _device(job: Job) -> Processor:
    if job.device != GPU:
        return Processor()
    return JaxGPU() if job.backend == "jax" else TorchGPU()


def _ours(job: Job, device: Processor) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    import keras

    from tfvfi import registry
    from tfvfi.benchmark.task import main_output
    from tfvfi.tracing import compiled

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        torch.set_num_threads(job.threads)
        torch.set_grad_enabled(False)
    weights = job.weights if job.weights.exists() else "default"
    network = registry.load(job.network, weights, **options_of(job.network))
    function = main_output(network)
    if network.traceable:
        function = _jitted(network, function) if backend == "jax" else compiled(function)
    tensors = [keras.ops.convert_to_tensor(array) for array in running.frames(job)]

    def once() -> Any:
        made = function(*tensors)
        return made.block_until_ready() if backend == "jax" else made

    return once, keras.ops.convert_to_numpy


def _jitted(network: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that JAX compiles, with the weights as arguments instead of constants."""
    import jax
    import keras

    def pure(values: list[Any], *tensors: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(network.variables, values, strict=True))):
            return function(*tensors)

    jitted, values = jax.jit(pure), [variable.value for variable in network.variables]
    return lambda *tensors: jitted(values, *tensors)


def _theirs(job: Job, device: Processor) -> tuple[Callable[[], Any], Callable[[Any], np.ndarray]]:
    import torch

    subject = running.subject(job)
    place = torch.device("cuda" if job.device == GPU else "cpu")
    _move(subject.network, place)
    tensors = [each.to(place) for each in subject.inputs]

    def once() -> Any:
        with torch.inference_mode():
            return subject.network(*tensors)

    return once, lambda made: subject.output(made.cpu())


def _move(network: Any, place: Any) -> None:
    """Moves a module, with tensors that are plain attributes and devices that it remembers."""
    import torch

    network.to(place)
    for module in network.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, torch.Tensor):
                setattr(module, name, value.to(place))
            elif isinstance(value, torch.device):
                setattr(module, name, place)


@contextlib.contextmanager
def _alone(job: Job, waits_for_all: bool) -> Iterator[None]:
    """Holds a lock that all networks share: together with others, or alone."""
    with (Path(job.folder).parent / "device.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if waits_for_all else fcntl.LOCK_SH)
        yield
