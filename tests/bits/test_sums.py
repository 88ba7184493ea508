"""No graph that TensorFlow runs adds three terms at once, or in the order in which they arrive."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("graphs are rewritten by TensorFlow alone", allow_module_level=True)

import tensorflow as tf
from tensorflow.python.eager import context

import tfvfi
from tfvfi.ops import portable
from tfvfi.ops.sums import ADDITIONS, MARK, in_order
from tfvfi.tracing import compiled

# Traced in seconds; others are made of the same layers.
NETWORKS = ("ifrnet_s", "pwcnet")
MORE_NETWORKS = ("superslomo", "sepconv", "softsplat", "variational", "adaconv")


def run_rewritten(function, *inputs):
    """What a function gives, and the operations that TensorFlow ran instead of those traced."""
    context.context().enable_run_metadata()
    try:
        out = function(*inputs).numpy()
        graphs = context.context().export_run_metadata().function_graphs
    finally:
        context.context().disable_run_metadata()
    return out, [node for one in graphs for part in one.partition_graphs for node in part.node]


def terms(x, count=16):
    return [tf.sin(np.float32(k + 1) * x) for k in range(count)]


@pytest.mark.parametrize("side", [8, 1024])  # The memory optimizer cares about large ones only.
def test_tensorflow_leaves_a_sum_as_it_is(side):
    x = tf.random.stateless_normal((4, side, side), (0, 0))
    plain = tf.function(lambda x: sum(terms(x)), autograph=False)
    _, nodes = run_rewritten(plain, x)
    kinds = {node.op for node in nodes}
    assert ("AddN" if side == 8 else "TemporaryVariable") in kinds, "nothing is to be prevented"

    out, nodes = run_rewritten(compiled(lambda x: sum(terms(x))), x)
    assert {node.op for node in nodes}.isdisjoint({"AddN", "TemporaryVariable", "AssignAdd"})
    assert sum(node.op == "AddV2" for node in nodes) == 15
    total = 0.0
    for term in run_rewritten(compiled(lambda x: tf.stack(terms(x))), x)[0]:
        total = total + term
    np.testing.assert_array_equal(out, total)


def test_gradients_of_what_is_used_often_are_added_in_pairs():
    def gradient(x):
        with in_order():
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x * 2
                loss = sum(tf.reduce_sum(y**k) for k in range(1, 6))
            return tape.gradient(loss, x)

    x = tf.constant([0.5, 2.0, -1.0])
    out, nodes = run_rewritten(tf.function(gradient, autograph=False), x)
    assert not [node.op for node in nodes if node.op == "AddN" and len(node.input) > 2]
    y = 2 * x.numpy()
    expected = 2 * sum(k * y ** (k - 1) for k in range(1, 6))
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def assert_ordered(graph):
    """Every sum of floats in a graph and its functions has two terms and is marked."""
    definition = graph.as_graph_def()
    functions = [one.node_def for one in definition.library.function]
    read = {name.split(":")[0] for node in definition.node for name in node.input}
    found = 0
    for nodes in [definition.node, *functions]:
        for node in nodes:
            if node.op not in ADDITIONS or not tf.as_dtype(node.attr["T"].type).is_floating:
                continue
            if node.op == "AddN" and node.attr["N"].i > 2:
                assert nodes is definition.node and node.name not in read, node.name
                continue
            assert MARK in node.attr, f"{node.name}: {node.op} is not marked"
            found += 1
    assert found


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *((name, "native") for name in NETWORKS),
        ("sepconv", "portable"),
        *(pytest.param(name, "native", marks=pytest.mark.slow) for name in MORE_NETWORKS),
        pytest.param("variational", "portable", marks=pytest.mark.slow),
    ],
)
def test_every_sum_of_a_network_is_marked(name, form):
    network = tfvfi.load(name) if name == "variational" else tfvfi.load(name, weights=None)
    frame = tf.TensorSpec((1, 128, 128, 3), "float32")
    inputs = {"frame0": frame, "frame1": frame, "time": tf.TensorSpec((1,), "float32")}
    traced = tf.function(lambda inputs: network(inputs), autograph=False)
    if form == "native":
        graph = traced.get_concrete_function(inputs).graph
    else:
        with portable():
            graph = traced.get_concrete_function(inputs).graph
    assert_ordered(graph)


def test_every_sum_of_a_training_step_is_marked():
    from tfvfi.models.objectives import l1
    from tfvfi.training.tensorflow_step import TensorFlowTrainer

    trainer = TensorFlowTrainer(tfvfi.load("ifrnet_s", weights=None), l1)
    shapes = dict.fromkeys(("frame0", "frame1", "target"), (2, 64, 64, 3)) | {"time": (2,)}
    trainer.prepare(keras.optimizers.Adam(1e-4), shapes)
    batch = {name: tf.TensorSpec(shape, "float32") for name, shape in shapes.items()}
    step = tf.function(trainer.train_step, autograph=False)
    assert_ordered(step.get_concrete_function(batch).graph)


def test_every_sum_of_an_export_is_marked():
    from tfvfi.export import signatures

    model = tfvfi.load("ifrnet_s", weights=None)
    assert_ordered(signatures.core(model).graph)
