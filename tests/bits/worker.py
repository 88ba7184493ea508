"""Runs stages over and over and prints the digests of what came out, as JSON.

python worker.py THREADS ROUNDS HEIGHT WIDTH STAGE...
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf

import tfvfi
from tfvfi import layers, ops
from tfvfi.models.flow_interpolation import splatting, warping
from tfvfi.ops.census import census_distance
from tfvfi.ops.convolution import fused_convolution
from tfvfi.tracing import compiled

THREADS, ROUNDS, HEIGHT, WIDTH = map(int, sys.argv[1:5])
os.environ["TFVFI_NUM_THREADS"] = str(THREADS)
cv2.setNumThreads(THREADS)
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)

DRAW = np.random.default_rng(0)
TIME = tf.fill((1, 1, 1, 1), 0.4)


def noise(*shape: int) -> tf.Tensor:
    return tf.constant(DRAW.normal(size=shape).astype("float32"))


def frames() -> list[np.ndarray]:
    """Two views of one smooth picture with grain, float32 in [0, 1]."""
    coarse = DRAW.uniform(size=((HEIGHT + 16) // 8, (WIDTH + 16) // 8, 3))
    smooth = cv2.resize(coarse, (WIDTH + 8, HEIGHT + 8), interpolation=cv2.INTER_CUBIC)
    grainy = (smooth + DRAW.normal(0, 0.02, smooth.shape)).clip(0, 1).astype("float32")
    return [grainy[:HEIGHT, :WIDTH].copy(), grainy[3 : HEIGHT + 3, 5 : WIDTH + 5].copy()]


def with_gradients(operation: Callable, *inputs: tf.Tensor) -> Callable:
    """An operation and its gradients; sums that belong to the test are kept out of a graph."""

    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            out = operation(*inputs)
        return [out, *tape.gradient(out, inputs, output_gradients=out)]

    return run


def stages() -> dict[str, Callable[[], Callable]]:
    """Name -> what prepares a stage and returns the function that is repeated."""
    size = (1, HEIGHT, WIDTH)
    pair = frames()
    batches = [tf.constant(frame[None]) for frame in pair]
    flows = [4 * noise(*size, 2) for _ in range(2)]

    def large_sum() -> Callable:
        add = compiled(lambda x: sum(tf.square(x - k) for k in range(16)))
        large = noise(1, 1024, 1024, 4)
        return lambda: add(large)

    def both(mode: Any) -> Callable:
        prepare, render = compiled(mode.prepare), compiled(mode.render)

        def run() -> Any:
            prepared = prepare(*batches, *flows)
            return [prepared, render(prepared, TIME)]

        return run

    def network(name: str, **options: Any) -> Callable:
        keras.utils.set_random_seed(0)
        model = tfvfi.load(name, **options)
        if hasattr(model, "estimate") and not hasattr(model, "interpolate"):
            return lambda: model.estimate(*pair)
        return lambda: model.interpolate(*pair, times=(0.5,))

    def convolution(outputs: int, *shape: int) -> Callable:
        keras.utils.set_random_seed(0)
        layer = layers.Conv2D(outputs, activation="relu")
        layer.build((None, None, None, shape[-1]))
        convolve, image = compiled(layer), noise(*shape)
        return lambda: convolve(image)

    image, maps = batches[0], (noise(*size, 16), noise(*size, 16))
    padded = noise(1, HEIGHT + 4, WIDTH + 4, 3)
    return {
        "large_sum": large_sum,
        "warp": lambda: both(warping),
        "splat": lambda: both(splatting),
        "backward_warp": lambda: with_gradients(ops.backward_warp, image, flows[0]),
        "forward_splat": lambda: with_gradients(ops.splat, image, flows[0]),
        "correlation": lambda: with_gradients(ops.correlation, *maps),
        "separable_convolution": lambda: with_gradients(
            ops.separable_convolution, padded, noise(*size, 5), noise(*size, 5)
        ),
        "local_convolution": lambda: with_gradients(
            ops.local_convolution, padded, noise(*size, 5, 5)
        ),
        "resize": lambda: with_gradients(lambda x: ops.resize(x, 0.4), image),
        "convolution": lambda: convolution(32, *size, 32),
        "deep_convolution": lambda: convolution(600, 1, 9, 10, 151),
        "narrow_convolution": lambda: convolution(2, *size, 40),
        "convolution_gradients": lambda: with_gradients(
            fused_convolution, noise(*size, 20), noise(3, 3, 20, 36), noise(36), noise(36)
        ),
        "census": lambda: with_gradients(lambda x, y: census_distance(x, y, 3), *maps),
        **{name: lambda name=name: network(name) for name in ("dis", "variational", "ifrnet_s")},
        **{
            name: lambda name=name: network(name, weights=None)
            for name in ("pwcnet", "softsplat", "superslomo")
        },
        "flow_interpolation": lambda: network("flow_interpolation"),
        "exportable": lambda: network("flow_interpolation", flow="variational"),
    }


def digest(found: Any) -> str:
    parts = [np.ascontiguousarray(part) for part in keras.tree.flatten(found)]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def main() -> None:
    known = stages()
    runs = {name: known[name]() for name in sys.argv[5:] or known}
    found: dict[str, set[str]] = {name: set() for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            found[name].add(digest(run()))
    print(json.dumps({name: sorted(digests) for name, digests in found.items()}))


main()
