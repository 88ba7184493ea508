"""Measures every operation in portable and native form and, if installed, in PyTorch."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import machine
from tfvfi.benchmark import timing

THREE, MANY = 3, 32


@dataclass(frozen=True)
class Subject:
    """An operation with its options and the inputs that it takes besides the image."""

    operation: str
    label: str
    channels: int
    options: dict[str, Any] = field(default_factory=dict)
    taps: tuple[int, int] = (1, 1)
    """By which the image is larger than the output, plus one."""
    others: tuple[str, ...] = ()
    """Further inputs: "flow", "map" (like the image) or "taps...", in the operation's order."""

    def inputs(self, height: int, width: int) -> list[np.ndarray]:
        """Returns random inputs; flows have a standard deviation of 12 pixels."""
        random = np.random.default_rng(0)
        rows, columns = self.taps
        shapes = {
            "map": (self.channels,),
            "vertical": (rows,),
            "horizontal": (columns,),
            "kernels": (rows, columns),
        }
        image = (1, height + rows - 1, width + columns - 1, self.channels)
        arrays = [random.random(image, "float32")]
        for other in self.others:
            if other == "flow":
                arrays.append(random.normal(0, 12, (1, height, width, 2)).astype("float32"))
            else:
                arrays.append(random.random((1, height, width, *shapes[other]), "float32"))
        return arrays


def subjects() -> Iterator[Subject]:
    """Yields the operations to time."""
    for channels in (THREE, MANY):
        for padding in ("border", "zeros"):
            options = {"padding": padding}
            label = f"backward_warp {padding}"
            yield Subject("backward_warp", label, channels, options, others=("flow",))
        yield Subject("splat", "splat", channels, others=("flow",))
        yield Subject("correlation", "correlation 9x9", channels, others=("map",))
        yield Subject("resize", "resize x2", channels, {"size_or_scale": 2})
        yield Subject("local_convolution", "local 5x5", channels, {}, (5, 5), ("kernels",))
        # With 51 taps on 32 channels, one run of the portable form would take minutes.
        taps = 51 if channels == THREE else 11
        others = ("vertical", "horizontal")
        yield Subject(
            "separable_convolution", f"separable {taps} taps", channels, {}, (taps, taps), others
        )


def measure(
    width: int, height: int, repeats: int, only: str = "", show: Callable[[str], None] = print
) -> list[timing.Timing]:
    """Times all operations whose label contains `only`, forward and backward.

    Args:
        width: The width of the images.
        height: The height of the images.
        repeats: The number of runs of each; see `timing.contest`.
        only: A part of the label.
        show: Called with each line of output.

    Returns:
        One row for each form of each operation and direction.
    """
    import tensorflow as tf

    from tfvfi import ops

    threads = tf.config.threading.get_intra_op_parallelism_threads() or machine.cores()
    show(f"{machine.processor()}, {machine.cores()} cores; TensorFlow {tf.__version__} with")
    show(f"{threads} threads; native operations: {'yes' if ops.native_available() else 'no'}")
    with_torch = find_spec("torch") is not None
    if with_torch:
        import torch

        torch.set_num_threads(threads)
        show(f"PyTorch {torch.__version__} with {torch.get_num_threads()} threads")
    rows: list[timing.Timing] = []
    for subject in subjects():
        if only not in subject.label:
            continue
        arrays = subject.inputs(height, width)
        forms = {"portable": _tensorflow_form(subject, arrays, portable=True)}
        if ops.native_available():
            forms["native"] = _tensorflow_form(subject, arrays, portable=False)
        if with_torch:
            from tfvfi.benchmark import torch_operations

            forms["torch"] = torch_operations.form(subject.operation, subject.options, arrays)
        for at, direction in enumerate(("forward", "backward")):
            works = {name: form[at] for name, form in forms.items()}
            times = timing.contest(works, repeats)
            shape = f"1x{height}x{width}x{subject.channels}"
            found = timing.timings(subject.label, shape, direction, times, threads)
            show(timing.table(found).partition("\n")[2])
            rows += found
    return rows


def _tensorflow_form(subject, arrays, portable):
    """Returns (forward, backward), functions that return once their results are available."""
    import contextlib

    import tensorflow as tf

    from tfvfi import ops

    function = getattr(ops, subject.operation)
    tensors = [tf.constant(array) for array in arrays]
    specs = [
        tf.TensorSpec([size if at > 2 else None for at, size in enumerate(tensor.shape)])
        for tensor in tensors
    ]

    def forward(*inputs):
        return function(*inputs, **subject.options)

    def backward(upstream, *inputs):
        # The graph returns all gradients and nothing else, so it runs only the part of the forward
        # pass that they need.
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            out = forward(*inputs)
        return tape.gradient(out, inputs, upstream)

    with ops.portable() if portable else contextlib.nullcontext():
        traced = tf.function(forward, input_signature=specs, autograph=False)
        out = traced(*tensors)
        upstream = tf.constant(np.random.default_rng(1).random(out.shape, "float32"))
        shape = [None, None, None, out.shape[-1]]
        traced_backward = tf.function(
            backward, input_signature=[tf.TensorSpec(shape), *specs], autograph=False
        )
        traced_backward.get_concrete_function()
    return lambda: traced(*tensors), lambda: traced_backward(upstream, *tensors)


def separable_memory(width: int, height: int, taps: int = 51, portable: bool = False) -> float:
    """Returns the peak memory of separable convolution beyond its inputs and output, in MiB.

    It is measured in a new process.
    """
    arguments = [str(value) for value in (width, height, taps, int(portable))]
    command = [sys.executable, "-m", __name__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the process that measures memory failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def _measure_memory(width: int, height: int, taps: int, portable: int) -> float:
    import contextlib

    import tensorflow as tf

    from tfvfi import ops

    def run(height, width):
        image = tf.random.uniform((1, height + taps - 1, width + taps - 1, THREE))
        vertical, horizontal = (tf.random.uniform((1, height, width, taps)) for _ in range(2))
        # Reset the high-water mark; ru_maxrss would include that of the parent process.
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        out = ops.separable_convolution(image, vertical, horizontal)
        return _status("VmHWM") - before - out.shape.num_elements() * 4 / 2**20

    with ops.portable() if portable else contextlib.nullcontext():
        run(32, 32)
        return run(height, width)


def _status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


if __name__ == "__main__":
    print(_measure_memory(*map(int, sys.argv[1:])))
