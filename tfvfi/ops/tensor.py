"""Type names for annotations."""

from typing import Any, TypeAlias

# A tensor of the backend that Keras uses, or a value that can be converted to one. No type covers
# all of them, so type checkers accept anything here; the name is for readers.
Tensor: TypeAlias = Any
# A height or width: a number, or a tensor if it is known only at run time.
Side: TypeAlias = int | Tensor
