"""Measures the speed and memory of networks or of operations.

    tfvfi benchmark --model=ifrnet_s --size=448x256 --size=1280x720   time and peak memory
    tfvfi benchmark --model=ifrnet_s --vs=torch,openvino              beside other engines
    tfvfi benchmark --ops                                             every operation
    tfvfi benchmark --ops --ops_filter=warp                           only some of them

For networks it reports parameters, theoretical operations (FLOPs), median time and spread, peak
memory, and the rate relative to a large matrix product on this machine. Every engine runs in a
separate process, in turns with the others and with the same weights. --vs accepts torch,
onnxruntime, openvino and ncnn if they are installed. --output writes the table as a CSV file and a
chart of the networks beside it.
"""

from pathlib import Path

from absl import flags

from tfvfi.errors import ArgumentError, InputError
from tfvfi.options import frame_size

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "model", [], "a network, name or name,weights=FILE,option=value; repeatable", flag_values=FLAGS
)
flags.DEFINE_multi_string("size", ["1280x720"], "width x height; repeatable", flag_values=FLAGS)
flags.DEFINE_list(
    "precision", ["float32", "bfloat16"], "of networks: float32, bfloat16", flag_values=FLAGS
)
flags.DEFINE_list("vs", [], "engines to compare networks with", flag_values=FLAGS)
flags.DEFINE_integer(
    "threads", None, "for each engine; all cores by default", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_bool("ops", False, "measure the operations", flag_values=FLAGS)
flags.DEFINE_string("ops_filter", "", "only operations whose name has this", flag_values=FLAGS)
flags.DEFINE_integer("repeats", 7, "runs of each contestant", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_bool("memory", True, "with --ops: memory of 51 taps at 1080p", flag_values=FLAGS)
flags.DEFINE_string("output", None, "CSV file to write", flag_values=FLAGS)


def main() -> None:
    """Runs the benchmarks and prints their tables."""
    sizes = [frame_size(text) for text in FLAGS.size]
    if not FLAGS.ops and not FLAGS.model:
        raise ArgumentError("nothing to measure: give `model=NAME` or `ops=True`")
    if FLAGS.model:
        measure_networks(sizes)
    if FLAGS.ops:
        measure_operations(*sizes[0])


def measure_networks(sizes: list[tuple[int, int]]) -> None:
    """Measures every network at every size."""
    from tfvfi import machine
    from tfvfi.benchmark import engines

    engines.check_installed(FLAGS.vs)
    from tfvfi import startup

    startup.import_keras()
    from tfvfi.benchmark import chart, networks, timing
    from tfvfi.registry import ModelSpec

    specs = [ModelSpec.parse(text, weights=None) for text in FLAGS.model]
    for spec in specs:
        _ = spec.preset
    networks.check_precisions(FLAGS.precision)
    threads = FLAGS.threads or machine.cores()
    described = machine.describe(threads)
    print(described)
    ceiling = machine.ceiling()
    print(ceiling, flush=True)
    rows: list[networks.Measured] = []
    for spec in specs:
        for width, height in sizes:
            found = networks.measure(
                spec, width, height, FLAGS.precision, FLAGS.vs, FLAGS.repeats, threads, ceiling
            )
            if found:
                print(timing.table(found), flush=True)
            rows += found
    if not rows:
        raise InputError("nothing could be measured; the lines above say why")
    if FLAGS.output:
        output = Path(FLAGS.output)
        timing.write_csv(rows, output)
        chart.write_chart(rows, (described, str(ceiling)), output.with_suffix(".svg"))


def measure_operations(width: int, height: int) -> None:
    """Measures every operation in portable and native form and, if installed, in PyTorch."""
    from tfvfi import ops
    from tfvfi.benchmark import operations, timing

    rows = operations.measure(width, height, FLAGS.repeats, FLAGS.ops_filter)
    if not rows:
        raise InputError(f"no operation's name contains '{FLAGS.ops_filter}'")
    print(timing.table(rows))
    if FLAGS.output:
        timing.write_csv(rows, Path(FLAGS.output))
    if FLAGS.memory:
        for form in ("portable", "native") if ops.native_available() else ("portable",):
            extra = operations.separable_memory(1920, 1080, portable=form == "portable")
            print(
                f"separable 51 taps  1x1080x1920x3  {form}: {extra:.0f} MiB beyond inputs, output"
            )
