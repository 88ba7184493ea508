"""Compares our operations with those of tensorflow-addons, whose results are read from a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.checkpoints.reader import read
from tfvfi.errors import InputError

# The difference, relative to 1 + |value|, that float32 sums in a different order may have.
TOLERANCE = 1e-5


def report(path: Path) -> str:
    """Returns a table of the largest differences.

    Args:
        path: The array file, which `tfvfi compare-addons --write` creates.

    Raises:
        InputError: The file is missing or of another kind, or a difference exceeds rounding.
    """
    found = list(differences(path))
    lines = [
        f"{name:28s} {difference:.1e}  {remark}".rstrip() for name, difference, remark in found
    ]
    table = "\n".join(["largest difference / (1 + |value|)", *lines])
    compared = [row for row in found if not row[2]]
    worst_name, worst, _ = max(compared, key=lambda row: row[1])
    if not worst <= TOLERANCE:
        raise InputError(
            f"tfvfi.ops and tensorflow-addons disagree about {worst_name} by {worst:.1e}, more "
            f"than rounding ({TOLERANCE:.0e}); all differences were:\n{table}"
        )
    return f"{table}\ntfvfi.ops and tensorflow-addons agree within {TOLERANCE:.0e}."


def differences(path: Path) -> Iterator[tuple[str, float, str]]:
    """Yields (case and array, largest difference, remark) for all outputs and gradients in a file.

    The remark explains why an array of tensorflow-addons cannot serve as a reference, and is empty
    otherwise.
    """
    if not path.is_file():
        raise InputError(
            f"there is no array file {path}; `write=True` makes one with tensorflow-addons"
        )
    theirs = read(path).tensors
    cases = [key.removesuffix("_out") for key in theirs if key.endswith("_out")]
    if not cases:
        raise InputError(f"{path} holds no results of tensorflow-addons; `write=True` makes them")
    for case in cases:
        names = ("image", "flow") if case == "warp" else ("a", "b")
        inputs = [theirs[f"{case}_{name}"] for name in names]
        upstream = theirs[f"{case}_upstream"]
        out, gradients = _ours(theirs.get(f"{case}_arguments"), inputs, upstream)
        yield f"{case} out", _largest(out, theirs[f"{case}_out"]), ""
        loss = np.sum(theirs[f"{case}_out"] * upstream)
        for name, value, gradient in zip(names, inputs, gradients, strict=True):
            expected = theirs[f"{case}_d_{name}"]
            # A function that is linear in a value equals that value times the gradient.
            linear = name != "flow"
            wrong = linear and abs(np.sum(value * expected) - loss) > 1e-3 * abs(loss)
            remark = "theirs is not the gradient of its own output" if wrong else ""
            yield f"{case} d_{name}", _largest(gradient, expected), remark


def _largest(ours, theirs):
    return float(np.max(np.abs(ours - theirs) / (1 + np.abs(theirs))))


def correlation(a: Any, b: Any, arguments: Any) -> Any:
    """Returns what tfa.layers.CorrelationCost computes, by our operation.

    It pads the maps by `pad` and starts its windows at max_displacement + kernel_size // 2 of the
    padded maps. If both are equal, windows are centered on every pixel, as in our default.

    Raises:
        InputError: The padding does not center the windows.
    """
    from tfvfi import ops

    kernel_size, max_displacement, stride_1, stride_2, pad = (int(value) for value in arguments)
    if pad != max_displacement + kernel_size // 2:
        raise InputError(
            "only padding that centers the windows is compared: max_displacement + "
            f"kernel_size // 2 = {max_displacement + kernel_size // 2}. Received: {pad}."
        )
    return ops.correlation(a, b, max_displacement, stride_2, kernel_size, stride_1)


def dense_image_warp(image: Any, flow: Any) -> Any:
    """Returns what tfa.image.dense_image_warp computes; its flow is (y, x) and is subtracted."""
    from tfvfi import ops

    return ops.backward_warp(image, -flow[..., ::-1], padding="border")


def _ours(arguments, inputs, upstream):
    import tensorflow as tf

    tensors = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        out = dense_image_warp(*tensors) if arguments is None else correlation(*tensors, arguments)
    gradients = tape.gradient(out, tensors, tf.constant(upstream))
    return out.numpy(), [gradient.numpy() for gradient in gradients]
