"""Shows where the time of a network goes: by kind of operation, and by layer.

    python benchmarks/layers.py --model=superslomo --size=1280x720 --rows=30

Operations run one after another, each with all threads, so that their times add up to the time of
a frame. TensorFlow measures them. The multiplications of a layer are those of its stock form; a
native form may need fewer, so that its rate may exceed that of a matrix product, which is shown for
comparison.
"""

import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absl import flags

from tfvfi import machine
from tfvfi.cli import command
from tfvfi.options import frame_size

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string("model", None, "a network; repeatable", flag_values=FLAGS)
flags.DEFINE_string("size", "1280x720", "width x height", flag_values=FLAGS)
flags.DEFINE_string("precision", "float32", "float32 or mixed_bfloat16", flag_values=FLAGS)
flags.DEFINE_integer("repeats", 3, "runs, of which medians are shown", 1, flag_values=FLAGS)
flags.DEFINE_integer("rows", 25, "layers to show, the slowest first", 1, flag_values=FLAGS)
flags.mark_flag_as_required("model", flag_values=FLAGS)

# How the profiler names an operation: flow/encoder1/conv1/convolution:Conv2D
OPERATION = re.compile(r"(?:(?P<layer>[^:]*)/)?[^:/]+:(?P<kind>\w+)")


@dataclass(frozen=True)
class Node:
    """One operation of the graph as TensorFlow ran it."""

    layer: str
    kind: str
    seconds: float


def main() -> None:
    """Profiles every network and prints its tables."""
    import tensorflow as tf

    # One operation at a time, which uses all threads.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(machine.cores())
    print(machine.describe(machine.cores()))
    print(machine.ceiling(("float32",)), flush=True)
    width, height = frame_size(FLAGS.size)
    for name in FLAGS.model:
        print("\n".join(profile(name, width, height, FLAGS.precision, FLAGS.repeats, FLAGS.rows)))


def profile(
    name: str, width: int, height: int, precision: str, repeats: int, rows: int
) -> Iterator[str]:
    """Yields the lines of both tables of one network, with fresh weights if it has any."""
    import tensorflow as tf

    from tfvfi import registry
    from tfvfi.benchmark import inputs
    from tfvfi.benchmark.task import main_output
    from tfvfi.tracing import compiled

    preset = registry.preset(name)
    network = registry.load(name, None if preset.has_weights else "default", dtype=precision)
    function = main_output(network)
    arrays = inputs.arrays(height, width, with_time=preset.kind != "flow")
    tensors = [tf.constant(array) for array in arrays]
    runs = measured(compiled(function), tensors, repeats)
    total = statistics.median(sum(node.seconds for node in run) for run in runs)
    gflop = layer_gflop(function, tensors, {node.layer for node in runs[0]})
    yield f"\n{name} at {width}x{height}: {total:.2f} s, {sum(gflop.values()):.0f} GFLOP"
    yield "   ms  share  operation"
    for kind, seconds, count in summed(runs, lambda node: node.kind):
        if seconds > total / 200:
            yield f"{1000 * seconds:5.0f}  {seconds / total:5.1%}  {kind} ({count})"
    yield "   ms  share   GFLOP  GFLOP/s  layer"
    for layer, seconds, _ in summed(runs, lambda node: node.layer)[:rows]:
        work = gflop.get(layer, 0.0)
        own = [node for node in runs[0] if node.layer == layer]
        kind = max(own, key=lambda node: node.seconds).kind
        yield (
            f"{1000 * seconds:5.0f}  {seconds / total:5.1%}  {work:6.1f}  {work / seconds:7.0f}  "
            f"{layer or '-'}: {kind}"
        )


def measured(function: Callable[..., Any], tensors: list[Any], repeats: int) -> list[list[Node]]:
    """Returns the operations of several runs, after a first one that is not measured."""
    import tensorflow as tf

    function(*tensors)
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            with tf.profiler.experimental.Profile(folder):
                function(*tensors)
            runs.append(list(nodes(next(Path(folder).rglob("*.xplane.pb")))))
    return runs


def nodes(trace: Path) -> Iterator[Node]:
    """Yields the operations in a trace of TensorFlow's profiler."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                named = OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name)
                if named and line.name.startswith("tf_Compute"):
                    yield Node(named["layer"] or "", named["kind"], 1e-12 * event.duration_ps)


def summed(runs: list[list[Node]], key: Callable[[Node], str]) -> list[tuple[str, float, int]]:
    """Returns key, median seconds of all operations with that key, and their number."""
    seconds: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(runs))
    counts: dict[str, int] = defaultdict(int)
    for number, run in enumerate(runs):
        for node in run:
            seconds[key(node)][number] += node.seconds
            counts[key(node)] += number == 0
    rows = [(name, statistics.median(each), counts[name]) for name, each in seconds.items()]
    return sorted(rows, key=lambda row: -row[1])


def layer_gflop(
    function: Callable[..., Any], tensors: list[Any], layers: set[str]
) -> dict[str, float]:
    """Returns the billions of operations of each layer in its stock form.

    Args:
        function: The network.
        tensors: Its inputs.
        layers: The layers to which operations count. Some contain layers whose operations are
            fused into their own.
    """
    import tensorflow as tf

    from tfvfi.benchmark.cost import multiplications

    found: dict[str, float] = defaultdict(float)
    traced = tf.function(function, autograph=False).get_concrete_function(*tensors)
    for operation in traced.graph.get_operations():
        layer = operation.name.rpartition("/")[0]
        while layer and layer not in layers:
            layer = layer.rpartition("/")[0]
        found[layer] += 2e-9 * multiplications(operation)
    return found


if __name__ == "__main__":
    command.run(main, FLAGS)
