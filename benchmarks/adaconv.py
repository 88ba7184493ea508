"""Compares dense AdaConv with one network pass per pixel; measures whole frames and their memory.

    python benchmarks/adaconv.py                               side by side on 192 x 128
    python benchmarks/adaconv.py --dtype=mixed_bfloat16        the same in bfloat16
    python benchmarks/adaconv.py --frame=1920x1080             one frame: seconds, peak memory
    python benchmarks/adaconv.py --frame=1920x1080 --model=sepconv

Rates are given as shares of the rate at which the same machine multiplies two large matrices of the
same type, measured in turns. By default frames are noise and weights are fresh.
"""

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from tfvfi import registry, startup
from tfvfi.cli import command

FLAGS = flags.FlagValues()
flags.DEFINE_string("size", "192x128", "width x height, side by side", flag_values=FLAGS)
flags.DEFINE_string("frame", "", "width x height of one frame to paint", flag_values=FLAGS)
flags.DEFINE_enum("model", "adaconv", ["adaconv", "sepconv"], "for --frame", flag_values=FLAGS)
flags.DEFINE_string("dtype", "float32", "or mixed_bfloat16", flag_values=FLAGS)
flags.DEFINE_string("weights", None, "a .weights.h5 file of the model", flag_values=FLAGS)
flags.DEFINE_list("pictures", [], "two pictures, for instance a.png,b.png", flag_values=FLAGS)

# The number of windows that the Keras project predicts at once.
WINDOWS = 128
# The slow form is measured in this many parts, between which the other forms take their turns.
PARTS = 8
MATRIX = 4096

# Side of a window and of its kernels, and where the kernels lie within the window.
WINDOW, TAPS = 79, 41
BORDER, INNER = WINDOW // 2, slice(19, 60)
CONVOLUTIONS = ("conv1", "halve1", "conv2", "halve2", "conv3", "halve3", "conv4", "gather", "taps")
EPSILON = 1e-3


def main() -> None:
    """Runs one of the two measurements."""
    startup.import_keras()
    model = registry.load(FLAGS.model, weights=FLAGS.weights, dtype=FLAGS.dtype)
    if FLAGS.frame:
        one_frame(model, *map(int, FLAGS.frame.split("x")))
    else:
        side_by_side(model, *map(int, FLAGS.size.split("x")))


def one_frame(model: Any, width: int, height: int) -> None:
    """Prints the time per frame and the peak memory of this process."""
    pair = frames(height, width)
    start = time.perf_counter()
    model.interpolate(*pair)
    taken = time.perf_counter() - start
    print(f"{model.name} {FLAGS.dtype} {width} x {height}: {taken:.1f} s, peak {peak():.2f} GB")


def side_by_side(model: Any, width: int, height: int) -> None:
    """Prints time, operations and rate of both forms, and the difference of their pixels."""
    import keras

    pair = frames(height, width)
    weights = {re.sub(r".*/(\w+/\w+)", r"\1", one.path): one for one in model.weights}
    by_windows = WindowByWindow(weights, model.compute_dtype, pair)
    noise = np.random.default_rng(1).standard_normal((MATRIX, MATRIX), "float32")
    matrix = keras.ops.cast(noise, model.compute_dtype)
    product = compiled(keras.ops.matmul)
    forms: dict[str, Callable] = {
        "dense": lambda: model.interpolate(*pair)[0],
        "product": lambda: float(keras.ops.cast(product(matrix, matrix)[0, 0], "float32")),
    }
    dense, _ = (call() for call in forms.values())
    by_windows.paint(slice(0, WINDOWS))

    taken: dict[str, list[float]] = {form: [] for form in forms}
    slow, pixels = 0.0, []
    for part in np.array_split(np.arange(height * width), PARTS):
        start = time.perf_counter()
        pixels.append(by_windows.paint(slice(part[0], part[-1] + 1)))
        slow += time.perf_counter() - start
        for form, call in forms.items():
            start = time.perf_counter()
            call()
            taken[form].append(time.perf_counter() - start)
    seconds = {form: statistics.median(times) for form, times in taken.items()}
    rate = 2 * MATRIX**3 / seconds["product"]
    difference = np.abs(np.clip(np.concatenate(pixels), 0, 1).reshape(dense.shape) - dense)

    print(
        f"{FLAGS.dtype}, {width} x {height}; a product of matrices runs at {rate / 1e9:.0f} GFLOP/s"
    )
    for name, spent, counted in (
        ("a pass a pixel", slow, multiplications(weights, dense=False)),
        ("dense", seconds["dense"], multiplications(weights, dense=True)),
    ):
        reached = 2 * counted * height * width / spent
        print(
            f"{name}: {spent:.2f} s, {counted / 1e6:.1f} million multiplications a pixel, "
            f"{reached / 1e9:.0f} GFLOP/s, {reached / rate:.0%} of the product's"
        )
    print(
        f"dense is {slow / seconds['dense']:.1f} times as fast; pixels in [0, 1] differ by "
        f"{difference.max():.1e} at the most, {difference.mean():.1e} on average"
    )


class WindowByWindow:
    """AdaConv as the Keras project runs it: a separate pass over 79 x 79 pixels for every pixel."""

    def __init__(self, weights: dict[str, Any], dtype: str, pair: tuple[np.ndarray, ...]):
        border = ((BORDER, BORDER), (BORDER, BORDER), (0, 0))
        # Published colors: blue, green, red, from 0 to 255.
        published = [255 * np.pad(frame[..., ::-1], border) for frame in pair]
        self.padded = np.concatenate(published, axis=-1)
        self.width = pair[0].shape[1]
        self.weights, self.dtype = weights, dtype
        self.predict = compiled(self.pixels)

    def paint(self, part: slice) -> np.ndarray:
        """Renders some pixels, counted row by row: (pixels, 3) in [0, 1]."""
        painted = []
        for first in range(part.start, part.stop, WINDOWS):
            places = [
                divmod(place, self.width) for place in range(first, min(first + WINDOWS, part.stop))
            ]
            windows = np.stack([self.padded[y : y + WINDOW, x : x + WINDOW] for y, x in places])
            painted.append(np.asarray(self.predict(windows)))
        return np.concatenate(painted)[:, ::-1] / 255

    def pixels(self, windows: Any) -> Any:
        """Computes the central pixels of windows with the plain network."""
        from keras import ops

        features = ops.cast(windows, self.dtype)
        for name in CONVOLUTIONS:
            strides = 2 if name.startswith("halve") else 1
            features = ops.conv(features, self.weight(name, "kernel"), strides, "valid")
            features = features + self.weight(name, "bias")
            if name != "taps":
                features = ops.relu(features)
            if name.startswith("conv"):
                features = self.normalized(features, name.replace("conv", "norm"))
        logits = ops.cast(features, "float32")[:, 0, 0]
        kernels = ops.reshape(ops.softmax(logits), (-1, TAPS, 2 * TAPS))
        inner = windows[:, INNER, INNER]
        return ops.einsum("nij,nijc->nc", kernels[..., :TAPS], inner[..., :3]) + ops.einsum(
            "nij,nijc->nc", kernels[..., TAPS:], inner[..., 3:]
        )

    def normalized(self, features: Any, name: str) -> Any:
        from keras import ops

        mean, variance, gamma, beta = (
            self.weight(name, part) for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return (features - mean) * (gamma / ops.sqrt(variance + EPSILON)) + beta

    def weight(self, layer: str, part: str) -> Any:
        from keras import ops

        return ops.cast(self.weights[f"{layer}/{part}"], self.dtype)


def multiplications(weights: dict[str, Any], dense: bool) -> int:
    """Returns a pixel's cost: each layer at every position of its window, or at one if dense."""
    side, total = WINDOW, 2 * 3 * TAPS**2
    for name in CONVOLUTIONS:
        shape = tuple(weights[f"{name}/kernel"].shape)
        side = (side - shape[0]) // (2 if name.startswith("halve") else 1) + 1
        total += int(np.prod(shape)) * (1 if dense else side**2)
    return total


def frames(height: int, width: int) -> tuple[np.ndarray, ...]:
    """Returns two pictures of that size, or noise."""
    if not FLAGS.pictures:
        return tuple(np.random.default_rng(0).random((2, height, width, 3), "float32"))
    from tfvfi.images import to_unit
    from tfvfi.media import pictures

    pair = (to_unit(pictures.read(Path(path))) for path in FLAGS.pictures)
    return tuple(frame[:height, :width] for frame in pair)


def compiled(function: Callable) -> Callable:
    """Compiles a function to a graph, as the networks do."""
    from tfvfi import tracing

    return tracing.compiled(function)


def peak() -> float:
    """Returns the peak memory of this process, in GB (Linux)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 / 1e9


if __name__ == "__main__":
    command.run(main, FLAGS)
