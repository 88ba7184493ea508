"""How a graph says no: in a sentence that TensorFlow Serving passes on to whoever asked."""

from typing import Any

import tensorflow as tf

SHOWN = 8


def unless(condition: Any, sentence: str, *values: Any) -> Any:
    """An operation that fails with a sentence and values unless the condition holds.

    `tf.debugging.Assert` would make it two functions and a branch.
    """
    return tf.raw_ops.Assert(condition=condition, data=[sentence, *values], summarize=SHOWN)
