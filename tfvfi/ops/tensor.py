"""Names for tensors in annotations."""

from typing import Any, TypeAlias

# A tensor of whichever backend Keras uses, or what becomes one. No type covers all of them, so type
# checkers accept anything here; the name is for readers.
Tensor: TypeAlias = Any
# A height or width: a number, or a tensor where it is known only when the function runs.
Side: TypeAlias = int | Tensor
