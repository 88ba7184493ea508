"""Measures speed and memory.

    tfvfi benchmark --ops                        every operation: portable, native, PyTorch's
    tfvfi benchmark --ops --ops_filter=warp      only some of them

Runs of the contestants alternate, medians are shown, and --output keeps them as a CSV file.
PyTorch takes part if it is installed.
"""

from pathlib import Path

from absl import flags

from tfvfi import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_bool("ops", False, "measure the operations", flag_values=FLAGS)
flags.DEFINE_string("ops_filter", "", "only operations whose name has this", flag_values=FLAGS)
flags.DEFINE_string("size", "1280x720", "width x height", flag_values=FLAGS)
flags.DEFINE_integer("repeats", 7, "runs of each contestant", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_bool("memory", True, "with --ops: memory of 51 taps at 1080p", flag_values=FLAGS)
flags.DEFINE_string("output", None, "CSV file to write", flag_values=FLAGS)


def main() -> None:
    width, height = size(FLAGS.size)
    if not FLAGS.ops:
        raise InputError("nothing to measure: give --ops")
    from tfvfi import ops
    from tfvfi.evaluation import benchmark, ops_benchmark

    rows = ops_benchmark.measure(width, height, FLAGS.repeats, FLAGS.ops_filter)
    if not rows:
        raise InputError(f"no operation's name contains '{FLAGS.ops_filter}'")
    print(benchmark.table(rows))
    if FLAGS.output:
        benchmark.write_csv(rows, Path(FLAGS.output))
    if FLAGS.memory:
        for form in ("portable", "native") if ops.native_available() else ("portable",):
            extra = ops_benchmark.separable_memory(1920, 1080, portable=form == "portable")
            print(
                f"separable 51 taps  1x1080x1920x3  {form}: {extra:.0f} MiB beyond inputs, output"
            )


def size(text: str) -> tuple[int, int]:
    """Width and height from "1280x720"."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--size is width x height such as 1280x720. Received: {text}")
    return int(parts[0]), int(parts[1])


if __name__ == "__main__":
    command.run(main, FLAGS)
