"""Compares tfvfi.ops with tensorflow-addons, which ended in 2024, on the same inputs.

Without --write it reads an array file and reports whether our operations agree with it, in their
outputs and in every gradient. With --write it creates such a file, which requires a separate
environment from tools/compare_addons_requirements.txt, in which our operations cannot run:

    python3.11 -m venv addons && addons/bin/pip install -r tools/compare_addons_requirements.txt
    PYTHONPATH=. addons/bin/python tools/compare_addons.py --write --arrays=addons.npz
    tfvfi compare-addons --arrays=addons.npz
"""

from pathlib import Path

import numpy as np
from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_string("arrays", None, "the array file (.npz)", required=True, flag_values=FLAGS)
flags.DEFINE_bool("write", False, "make the file, with tensorflow-addons", flag_values=FLAGS)

# Arguments of tfa.layers.CorrelationCost: kernel_size, max_displacement, stride_1, stride_2, pad.
CORRELATIONS = {
    "pwcnet": (1, 4, 1, 1, 4),
    "flownet2": (1, 6, 1, 2, 6),
    "window": (3, 4, 1, 2, 5),
}


def main() -> None:
    if FLAGS.write:
        np.savez_compressed(FLAGS.arrays, **addons_arrays())
        return
    from tfvfi.evaluation import addons

    print(addons.report(Path(FLAGS.arrays)))


def addons_arrays() -> dict[str, np.ndarray]:
    """Returns inputs with the outputs and gradients of tensorflow-addons."""
    import tensorflow as tf
    import tensorflow_addons as tfa

    random = np.random.default_rng(0)
    arrays = {}

    def record(case, function, inputs):
        tensors = {name: tf.constant(value.astype("float32")) for name, value in inputs.items()}
        with tf.GradientTape() as tape:
            tape.watch(list(tensors.values()))
            out = function(*tensors.values())
        upstream = tf.constant(random.normal(size=out.shape).astype("float32"))
        gradients = tape.gradient(out, tensors, upstream)
        recorded = {**tensors, "out": out, "upstream": upstream}
        recorded.update({f"d_{name}": gradient for name, gradient in gradients.items()})
        arrays.update({f"{case}_{name}": value.numpy() for name, value in recorded.items()})

    for case, arguments in CORRELATIONS.items():
        layer = tfa.layers.CorrelationCost(*arguments, data_format="channels_last")
        maps = {name: random.normal(size=(2, 6, 8, 4)) for name in ("a", "b")}
        record(f"correlation_{case}", lambda a, b, layer=layer: layer([a, b]), maps)
        arrays[f"correlation_{case}_arguments"] = np.array(arguments)
    inputs = {
        "image": random.normal(size=(2, 10, 12, 3)),
        "flow": random.normal(scale=4, size=(2, 10, 12, 2)),
    }
    record("warp", tfa.image.dense_image_warp, inputs)
    return arrays
