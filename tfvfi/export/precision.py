"""How many bits a weight takes on disk."""

import keras

PRECISIONS = ("float32", "float16", "bfloat16", "mixed_bfloat16")


class StoredAs(keras.DTypePolicy):
    """Weights of fewer bits, widened as they are used: half the size, arithmetic in float32."""

    def __init__(self, stored: str):
        super().__init__("float32")
        self._variable_dtype = stored

    def get_config(self) -> dict[str, str]:
        """The arguments that build this policy again."""
        return {"stored": self._variable_dtype}


def policy(precision: str) -> keras.DTypePolicy:
    """The policy of Keras for one of `PRECISIONS`."""
    if precision in ("float16", "bfloat16"):
        return StoredAs(precision)
    return keras.DTypePolicy(precision)
