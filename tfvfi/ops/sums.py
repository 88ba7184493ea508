"""Sums that are computed in the order in which they are written.

Before TensorFlow runs a graph, Grappler rewrites it. Its arithmetic optimizer merges a chain of
additions into one `AddN`. Where a graph needs much memory, its memory optimizer then replaces an
`AddN` of three or more tensors of known size by a temporary variable, to which every term is added
as soon as some thread has computed it. Even a plain `AddN` begins with whichever input's buffer
can be reused at that moment. The order of the terms, and so the last bits of their sum, would
depend on how busy the machine is.

Additions that are created within `in_order()` are left unchanged: they carry the mark of additions
that Grappler has already rewritten, so Grappler skips them. The mark is stored in exported graphs
too and therefore also works in the process that serves them.

TensorFlow has no public way to mark an operation or to give it another input, so `_mark` and
`_split` use methods that its own code uses. Public options would switch Grappler off for the whole
process, and would not be stored in exported graphs.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

MARK = "_grappler_ArithmeticOptimizer_AddOpsRewriteStage"
ADDITIONS = ("Add", "AddV2", "AddN")


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Returns a context in which traced graphs add two terms at a time, in a fixed order.

    It has no effect outside a TensorFlow graph. The body of a loop is a graph of its own and must
    be decorated with `@in_order()`.
    """
    graph = _graph()
    if graph is None:
        yield
        return
    known = len(graph.get_operations())
    yield
    for operation in graph.get_operations()[known:]:
        if operation.type == "AddN" and len(operation.inputs) > 2:
            _split(operation)
        elif operation.type in ADDITIONS:
            _mark(operation)


def _graph() -> Any:
    """Returns the TensorFlow graph that is being traced, or None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _mark(operation: Any) -> None:
    from tensorflow.core.framework.attr_value_pb2 import AttrValue

    operation._set_attr(MARK, AttrValue(b=True))


def _split(operation: Any) -> None:
    """Replaces an `AddN`, as gradient tapes create them, with additions of two terms."""
    import tensorflow as tf

    (merged,) = operation.outputs
    if not merged.dtype.is_floating or not merged.consumers():
        return
    total, *others = operation.inputs
    with operation.graph.as_default(), tf.control_dependencies(None):
        for other in others:
            total = tf.raw_ops.AddV2(x=total, y=other)
            _mark(total.op)
    for consumer in merged.consumers():
        for position, tensor in enumerate(consumer.inputs):
            if tensor is merged:
                consumer._update_input(position, total)
