"""Turns weights into constants of the graph where that is measurably faster."""

import time
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tfvfi.export import sample
from tfvfi.models.base import Network

# The frame size, number of rounds and time limit in seconds when both forms are timed.
HEIGHT, WIDTH, ROUNDS, SECONDS = 256, 448, 7, 30
# A smaller gain is noise.
WORTH = 0.03
SAME = 1e-5
# Every pass over a graph copies its constants, and a graph is limited to 2 GB of them.
LARGEST = 1 << 28


def where_faster(model: Network, compute: Any) -> tuple[Any, dict[str, Any]]:
    """Returns the frozen graph if it is equal and faster, else the graph, with the measurements.

    Args:
        model: The network.
        compute: Its graph, see `signatures.core`.
    """
    size = sum(
        variable.shape.num_elements() * variable.dtype.size for variable in compute.variables
    )
    if size > LARGEST:
        return compute, {"kept": False, "reason": f"{size >> 20} MB of weights are too many"}
    candidate = frozen(compute)
    inputs = [tf.constant(value) for value in sample.inputs(model, 1, HEIGHT, WIDTH).values()]
    difference = sample.difference(model, candidate(*inputs), compute(*inputs))
    if not difference <= SAME:  # Not "greater than", because NaN is a different result, too.
        return compute, {"kept": False, "reason": f"it changes the result by {difference:.1e}"}
    plain_seconds, frozen_seconds = _medians((compute, candidate), inputs)
    kept = frozen_seconds < (1 - WORTH) * plain_seconds
    return candidate if kept else compute, {
        "kept": kept,
        "speedup": plain_seconds / frozen_seconds,
        "difference": difference,
        "size": f"{HEIGHT}x{WIDTH}",
    }


def frozen(compute: Any) -> Any:
    """A graph with constant weights that is called like the graph with variables."""
    flat = constant(compute)
    # Constants come back as a list of outputs.
    function = tf.function(lambda *inputs: flat(*inputs)[0], autograph=False)
    specs = [tf.TensorSpec(t.shape, t.dtype, t.op.name) for t in flat.inputs]
    return function.get_concrete_function(*specs)


def constant(compute: Any) -> Any:
    """A graph with constant weights and without inner functions, as converters expect it."""
    return convert_variables_to_constants_v2(compute)


def _medians(functions: tuple, inputs: list[Any]) -> list[float]:
    """Median seconds of each function; they are called in turns."""
    taken: list[list[float]] = [[] for _ in functions]
    until = time.perf_counter() + SECONDS
    for _ in range(ROUNDS):
        for function, times in zip(functions, taken, strict=True):
            start = time.perf_counter()
            function(*inputs)
            times.append(time.perf_counter() - start)
        if time.perf_counter() > until:
            break
    return [float(np.median(times)) for times in taken]
