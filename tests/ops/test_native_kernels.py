"""What only the native operations can get wrong: threads, sizes, tracing, XLA."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.gradients import value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.ops import native
from tfvfi.ops.census import census_distance
from tfvfi.ops.convolution import fused_convolution
from tfvfi.ops.prelu import prelu

if keras.backend.backend() != "tensorflow" or not native.available():
    pytest.skip("the native operations are not there", allow_module_level=True)

import tensorflow as tf

from tfvfi.ops.native import library

ROOT = Path(__file__).resolve().parents[2]


def cases(height=37, width=53, channels=5, batch=2):
    """Each operation with inputs, large enough that several threads take part."""
    random = np.random.default_rng(0)

    def array(*shape):
        return random.normal(size=shape).astype("float32")

    image, flow = array(batch, height, width, channels), 6 * array(batch, height, width, 2)
    size = (batch, height, width)
    return {
        "warp": (ops.backward_warp, [image, flow]),
        "warp zeros": (lambda a, b: ops.backward_warp(a, b, padding="zeros"), [image, flow]),
        "splat": (ops.splat, [image, flow]),
        "correlation": (ops.correlation, [image, array(*image.shape)]),
        "correlation windows": (
            lambda a, b: ops.correlation(a, b, 5, 2, 3, 2, padding=4),
            [image, array(*image.shape)],
        ),
        "separable": (
            ops.separable_convolution,
            [array(batch, height + 6, width + 8, channels), array(*size, 7), array(*size, 9)],
        ),
        "local": (
            ops.local_convolution,
            [array(batch, height + 2, width + 4, channels), array(*size, 3, 5)],
        ),
        "resize": (lambda a: ops.resize(a, (50, 31)), [image]),
        "resize corners": (lambda a: ops.resize(a, 2.5, align_corners=True), [image]),
    }


def results(operation, inputs, **options):
    out = operation(*map(tf.constant, inputs))
    upstream = np.random.default_rng(1).normal(size=out.shape).astype("float32")
    out, gradients = value_and_gradients(operation, inputs, upstream, **options)
    return [out, *gradients]


def without_gradients(channels):
    """Results of the operations that have no gradients."""
    random = np.random.default_rng(0)
    image = tf.constant(random.normal(size=(2, 37, 53, channels)).astype("float32"))
    for side, stride in ((3, 1), (5, 1), (5, 2), (7, 1), (7, 2)):
        kernel = tf.constant(random.normal(size=(side, side, channels, 20)).astype("float32"))
        bias, slope = tf.zeros(20), tf.fill((20,), 0.1)
        for kind in ("float32", "bfloat16"):
            inputs = tf.cast(image, kind), kernel, bias, slope
            if side == 3:
                yield native.fused_convolution(*inputs)
            else:
                yield native.large_convolution(*inputs, stride)
    yield native.prelu(image, tf.fill((channels,), 0.1))


def of_training(channels, convolution=fused_convolution):
    """Results and gradients of the operations that networks and losses use in training."""
    random = np.random.default_rng(0)
    image, other = (random.normal(size=(2, 37, 53, channels)).astype("float32") for _ in range(2))
    kernel = random.normal(size=(3, 3, channels, 20)).astype("float32")
    slopes = random.normal(size=20).astype("float32"), np.full(channels, 0.1, "float32")
    yield from results(convolution, [image, kernel, slopes[0], slopes[0]])
    yield from results(prelu, [image, slopes[1]])
    yield from results(lambda x, y: census_distance(x, y, 3), [image, other])


def digest() -> str:
    """A digest of every bit that every operation and gradient gives."""
    found = hashlib.sha256()
    for channels in (6, 40):
        for result in without_gradients(channels):
            found.update(tf.cast(result, "float32").numpy().tobytes())
        for array in of_training(channels):
            found.update(np.ascontiguousarray(array).tobytes())
    for channels in (3, 32, 300):
        for operation, inputs in cases(channels=channels).values():
            for array in results(operation, inputs):
                found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("name", cases())
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7, 300])
def test_values_and_gradients_of_the_portable_form(name, channels):
    operation, inputs = cases(19, 23, channels)[name]
    actual = results(operation, inputs, compiled=True, unknown=(0, 1, 2))
    with ops.portable():
        expected = results(operation, inputs)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, 1e-4)


@pytest.mark.parametrize(("channels", "taps"), [(3, 91), (32, 11), (1, 270), (257, 2)])
def test_kernels_wider_than_a_block(channels, taps):
    random = np.random.default_rng(2)
    shapes = [(1, 4, taps + 8, channels), (1, 2, 9, 3), (1, 2, 9, taps)]
    inputs = [random.normal(size=shape).astype("float32") for shape in shapes]
    actual = results(ops.separable_convolution, inputs)
    with ops.portable():
        expected = results(ops.separable_convolution, inputs)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, 1e-4)


# Fast at smaller sizes in tests/bits/test_same_bits.py.
@pytest.mark.slow
def test_bits_do_not_depend_on_the_number_of_threads():
    code = "from tests.ops.test_native_kernels import digest; print(digest())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TFVFI_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in (1, 3, 4)
    ]
    assert len({process.communicate(timeout=300)[0] for process in processes}) == 1
    assert all(process.returncode == 0 for process in processes)


def test_several_operations_at_once():
    work = list(cases().values())
    alone = [results(*case) for case in work]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda case: results(*case), work * 8))
    for index, arrays in enumerate(together):
        for one, other in zip(arrays, alone[index % len(work)], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, signal
import numpy as np
from tests.ops.test_native_kernels import cases
operation, inputs = cases(200, 300)["warp"]
before = np.asarray(operation(*inputs))
child = os.fork()
if child == 0:
    signal.alarm(60)  # Waiting for the parent's threads would take for ever.
    right = np.array_equal(operation(*inputs), before)
    os._exit(not (right and len(os.listdir("/proc/self/task")) == 3))
assert os.waitpid(child, 0)[1] == 0
assert np.array_equal(operation(*inputs), before)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TFVFI_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", cases())
@pytest.mark.parametrize("empty", ["batch", "channels"])
def test_nothing_to_do(name, empty):
    operation, inputs = cases(9, 11, **{empty: 0})[name]
    if empty == "channels" and name.startswith("correlation"):
        inputs = [array[:0] for array in inputs]
    assert all(np.isfinite(array).all() for array in results(operation, inputs))


def zeros(*shape):
    return tf.zeros(shape)


GRID = tf.constant([1.0, 1, 0, 1, 1, 0])
SETTINGS = {
    "max_displacement": 4, "stride": 1, "kernel_size": 1, "output_stride": 1, "padding": -1
}  # fmt: skip
DOUBLED = {"doubled": False}
IMAGE, FLOW = (1, 5, 6, 3), (1, 5, 6, 2)
# Straight to the kernels, past the checks that the public functions make.
WRONG = [
    ("backward_warp", [zeros(*IMAGE), zeros(1, 5, 5, 2), GRID], {"padding": 0}),
    ("backward_warp", [zeros(*IMAGE), zeros(*IMAGE), GRID], {"padding": 0}),
    ("backward_warp", [zeros(5, 6, 3), zeros(*FLOW), GRID], {"padding": 0}),
    ("backward_warp", [zeros(*IMAGE), zeros(*FLOW), GRID[:5]], {"padding": 0}),
    ("backward_warp", [zeros(*IMAGE), zeros(*FLOW), GRID], {"padding": 7}),
    (
        "backward_warp_gradient",
        [zeros(*IMAGE), zeros(*FLOW), GRID, zeros(1, 5, 6, 2)],
        {"padding": 0},
    ),
    ("splat", [zeros(*IMAGE), zeros(2, 5, 6, 2)], {}),
    ("splat", [zeros(*IMAGE), zeros(6, 2)], {}),
    ("splat_gradient", [zeros(*IMAGE), zeros(*FLOW), zeros(1, 4, 6, 3)], {}),
    ("correlation", [zeros(*IMAGE), zeros(1, 5, 6, 4)], SETTINGS),
    ("correlation", [zeros(*IMAGE), zeros(*IMAGE)], {**SETTINGS, "stride": 0}),
    ("correlation", [zeros(*IMAGE), zeros(*IMAGE)], {**SETTINGS, "output_stride": -1}),
    ("correlation", [zeros(*IMAGE), zeros(*IMAGE)], {**SETTINGS, "kernel_size": 2}),
    ("correlation", [zeros(*IMAGE), zeros(*IMAGE)], {**SETTINGS, "max_displacement": -1}),
    ("correlation", [zeros(*IMAGE), zeros(*IMAGE)], {**SETTINGS, "padding": 0}),
    ("correlation_gradient", [zeros(*IMAGE), zeros(*IMAGE), zeros(1, 5, 6, 80)], SETTINGS),
    ("separable_convolution", [zeros(*IMAGE), zeros(1, 3, 4, 4), zeros(1, 3, 4, 3)], {}),
    ("separable_convolution", [zeros(*IMAGE), zeros(1, 3, 4, 3), zeros(1, 3, 5, 3)], {}),
    ("separable_convolution", [zeros(*IMAGE), zeros(1, 6, 7, 0), zeros(1, 6, 7, 0)], {}),
    ("local_convolution", [zeros(*IMAGE), zeros(1, 3, 4, 3, 4)], {}),
    ("local_convolution", [zeros(*IMAGE), zeros(1, 3, 4, 3)], {}),
    (
        "local_convolution_gradient",
        [zeros(*IMAGE), zeros(1, 3, 4, 3, 3), zeros(*IMAGE)],
        {},
    ),
    ("convolution", [zeros(*IMAGE), zeros(3, 2, 3, 4), *[zeros(4)] * 2, zeros(0)], DOUBLED),
    (
        "convolution",
        [zeros(*IMAGE), zeros(4, 4, 4, 2), *[zeros(4)] * 2, zeros(0)],
        {"doubled": True},
    ),
    (
        "convolution",
        [zeros(*IMAGE), zeros(2, 2, 3, 8), *[zeros(2)] * 2, zeros(0)],
        {"doubled": True},
    ),
    ("large_convolution", [zeros(*IMAGE), zeros(5, 3, 3, 4), *[zeros(4)] * 2], {"stride": 1}),
    ("large_convolution", [zeros(*IMAGE), zeros(3, 3, 3, 4), *[zeros(4)] * 2], {"stride": 1}),
    ("large_convolution", [zeros(*IMAGE), zeros(4, 4, 3, 4), *[zeros(4)] * 2], {"stride": 2}),
    ("large_convolution", [zeros(*IMAGE), zeros(5, 5, 2, 4), *[zeros(4)] * 2], {"stride": 1}),
    ("large_convolution", [zeros(*IMAGE), zeros(5, 5, 3, 4), *[zeros(3)] * 2], {"stride": 1}),
    ("large_convolution", [zeros(*IMAGE), zeros(5, 5, 3, 4), *[zeros(4)] * 2], {"stride": 3}),
    (
        "convolution_kernel_gradient",
        [zeros(*IMAGE), zeros(1, 5, 6, 5)],
        {"inputs": 3, "outputs": 4},
    ),
    (
        "convolution_kernel_gradient",
        [zeros(*IMAGE), zeros(1, 5, 6, 4)],
        {"inputs": 4, "outputs": 4},
    ),
    ("prelu", [zeros(*IMAGE), zeros(4)], {}),
    ("prelu_gradient", [zeros(*IMAGE), zeros(4), zeros(*IMAGE)], {}),
    ("prelu_gradient", [zeros(*IMAGE), zeros(3), zeros(1, 5, 6, 4)], {}),
    ("census", [zeros(*IMAGE), zeros(1, 5, 7, 3)], {"patch": 3}),
    ("census", [zeros(*IMAGE), zeros(*IMAGE)], {"patch": 4}),
    ("prelu", [zeros(5, 6, 3), zeros(3)], {}),
    ("resize", [zeros(*IMAGE), [4], [1.0, 1.0]], {"align_corners": False}),
    ("resize", [zeros(*IMAGE), [4, -4], [1.0, 1.0]], {"align_corners": False}),
    ("resize", [zeros(*IMAGE), [4, 4], [0.0, 1.0]], {"align_corners": False}),
    ("resize", [zeros(*IMAGE), [4, 4], [1.0, np.nan]], {"align_corners": False}),
    ("resize", [zeros(1, 0, 5, 3), [4, 4], [1.0, 1.0]], {"align_corners": False}),
    ("resize_gradient", [zeros(*IMAGE), zeros(1, 4, 4, 2), [1.0, 1.0]], {"align_corners": False}),
]


@pytest.mark.parametrize(("name", "inputs", "attributes"), WRONG)
def test_kernels_refuse_wrong_sizes(name, inputs, attributes):
    with pytest.raises(tf.errors.InvalidArgumentError):
        getattr(library.load(), f"tfvfi_{name}")(*inputs, **attributes)


def test_shapes_known_while_tracing():
    shapes = {}

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])] * 2)
    def trace(a, b):
        shapes["warp"] = ops.backward_warp(a, b[..., :2]).shape
        shapes["splat"] = ops.splat(a, b[..., :2]).shape
        shapes["correlation"] = ops.correlation(a, b, 2).shape
        shapes["resize"] = ops.resize(a, (4, 6)).shape
        return a

    trace.get_concrete_function()
    assert shapes["warp"].as_list() == shapes["splat"].as_list() == [None, None, None, 3]
    assert shapes["correlation"].as_list() == [None, None, None, 25]
    assert shapes["resize"].as_list() == [None, 4, 6, 3]


def test_functions_compiled_by_xla_get_the_portable_form():
    operation, inputs = cases(8, 9, 3, 1)["warp"]
    inputs = [tf.constant(array) for array in inputs]
    plain = operation(*inputs).numpy()

    def nested(image, flow):
        _, out = tf.while_loop(
            lambda i, _: i < 1,
            lambda i, _: (i + 1, tf.function(operation)(image, flow)),
            (0, image),
        )
        return out

    for function in (operation, tf.function(operation), nested):
        compiled = tf.function(function, jit_compile=True)
        assert_close(compiled(*inputs), plain, 1e-6)
        graph = tf.function(function, jit_compile=True).get_concrete_function(*inputs).graph
        assert not {node.type for node in graph.get_operations()} & {"TfvfiBackwardWarp"}
    graph = tf.function(operation).get_concrete_function(*inputs).graph
    assert "TfvfiBackwardWarp" in {node.type for node in graph.get_operations()}


def test_what_they_cannot_take():
    image = tf.zeros(IMAGE)
    assert native.usable(image)
    assert not native.usable(tf.cast(image, "float64"))
    assert not native.usable(keras.Input((4, 4, 3)))
    with ops.portable():
        assert not native.usable(image)


def test_a_keras_model_of_unknown_size():
    image, flow = keras.Input((None, None, 3)), keras.Input((None, None, 2))

    class Warp(keras.layers.Layer):
        def call(self, image, flow):
            return ops.backward_warp(image, flow)

    model = keras.Model([image, flow], Warp()(image, flow))
    operation, inputs = cases(8, 9, 3, 1)["warp"]
    model.compile(jit_compile=False)
    assert_close(model.predict(inputs, verbose=0), operation(*inputs).numpy(), 1e-6)
