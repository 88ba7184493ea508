"""Makes a graph refuse inputs with a sentence that TensorFlow Serving passes to the client."""

from typing import Any

import tensorflow as tf

SHOWN = 8


def unless(condition: Any, sentence: str, *values: Any) -> Any:
    """An operation that fails with a sentence and values unless the condition holds.

    `tf.debugging.Assert` would add two functions and a branch to the graph.
    """
    return tf.raw_ops.Assert(condition=condition, data=[sentence, *values], summarize=SHOWN)
