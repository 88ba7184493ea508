"""The number of bits of a weight on disk."""

import keras

PRECISIONS = ("float32", "float16", "bfloat16", "mixed_bfloat16")


class StoredAs(keras.DTypePolicy):
    """Stores weights in fewer bits and widens them for use: half the size, float32 arithmetic."""

    def __init__(self, stored: str):
        super().__init__("float32")
        self._variable_dtype = stored

    def get_config(self) -> dict[str, str]:
        """The arguments that build this policy again."""
        return {"stored": self._variable_dtype}


def policy(precision: str) -> keras.DTypePolicy:
    """The Keras policy for one of `PRECISIONS`."""
    if precision in ("float16", "bfloat16"):
        return StoredAs(precision)
    return keras.DTypePolicy(precision)
