"""Exports every network, and prints its speed and its difference from Keras.

    python benchmarks/exports.py [--only=ifrnet_s,pwcnet] [--output=FOLDER]

The speed column compares the optimized export with a plain call of the Keras model in this process,
called in turns, by medians. Weights are fresh, which affects only the differences. The export time
includes loading, choosing the faster form and checking.
"""

import logging
import statistics
import tempfile
import time
from pathlib import Path

from absl import flags

import tfvfi
from tfvfi import machine, registry, startup
from tfvfi.cli import command

FLAGS = flags.FlagValues()
flags.DEFINE_list("only", [], "names of networks; all by default", flag_values=FLAGS)
flags.DEFINE_string("output", None, "keeps the exports here", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 7, "calls of each form", 1, flag_values=FLAGS)
HEIGHT, WIDTH = 256, 448


def main() -> None:
    """Prints one line per network, then the operations that any of them uses."""
    startup.import_keras()
    # TensorFlow warns of retracing, but every network and size needs a graph of its own.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(FLAGS.output or scratch)
        used: set[str] = set()
        for name in FLAGS.only or tfvfi.list_models():
            used |= one(name, output / name)
        print("operations used:", ", ".join(sorted(used)))


def one(name: str, output: Path) -> set[str]:
    """Exports one network, prints its line and returns the operations that it uses."""
    from tfvfi.errors import InputError
    from tfvfi.export.saved_model import Options, export_model

    options = {"flow": "pwcnet", "flow_weights": None} if name == "flow_interpolation" else {}
    start = time.perf_counter()
    machine.watch_memory()
    try:
        about = export_model(name, output, None, Options(optimize=True), **options)
    except InputError as refusal:
        print(f"{name}: {refusal}")
        return set()
    took, memory = time.perf_counter() - start, machine.memory_mib("VmHWM") / 1024
    freezing = about["freezing"]
    frozen = f"x{freezing['speedup']:.2f}" if "speedup" in freezing else freezing["reason"]
    differences = " ".join(f"{size} {value:.1e}" for size, value in about["differences"].items())
    plain, exported = seconds(name, about["folder"], options)
    print(
        f"{name}: {differences}; Keras call {plain:.3f} s, export {exported:.3f} s "
        f"({plain / exported:.2f}x), {'frozen' if freezing['kept'] else 'not frozen'} ({frozen}); "
        f"exporting took {took:.0f} s, {memory:.1f} GiB at most",
        flush=True,
    )
    return set(about["operations"])


def seconds(name: str, folder: str, options: dict) -> tuple[float, float]:
    """Returns the median times of the plain Keras call and of the export, called in turns."""
    import tensorflow as tf

    from tfvfi.export import sample

    model = registry.build(name, **options)
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    inputs = sample.inputs(model, 1, HEIGHT, WIDTH)
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    forms = {"keras": lambda: model(tensors), "export": lambda: serve(**tensors)}
    taken: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(FLAGS.rounds + 1):
        for form, call in forms.items():
            start = time.perf_counter()
            call()
            taken[form].append(time.perf_counter() - start)
    # The first call of each compiles the graph.
    return tuple(statistics.median(times[1:]) for times in taken.values())


if __name__ == "__main__":
    command.run(main, FLAGS)
