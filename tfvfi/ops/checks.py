"""What every operation demands of its inputs before it touches them."""

from collections.abc import Collection

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops.tensor import Tensor


def float_tensor(value: Tensor, name: str, rank: int = 4, channels: int | None = None) -> Tensor:
    """`value` as a tensor of floating point numbers, of the given rank and channel count."""
    tensor = ops.convert_to_tensor(value)
    shape = tuple(tensor.shape)
    if len(shape) != rank:
        raise InputError(f"`{name}` must have {rank} dimensions. Received: shape {shape}.")
    if channels is not None and shape[-1] != channels:
        raise InputError(f"`{name}` must have {channels} channels. Received: shape {shape}.")
    if not is_floating(tensor):
        raise InputError(
            f"`{name}` must hold floating point numbers. Received: {dtype_of(tensor)}."
        )
    return tensor


def same_frame(first: Tensor, second: Tensor, names: str, dimensions: int = 3) -> None:
    """Demands equal batch, height and width (as far as they are known before the run)."""
    sizes = tuple(first.shape)[:dimensions], tuple(second.shape)[:dimensions]
    for one, other in zip(*sizes, strict=True):
        if one is not None and other is not None and one != other:
            raise InputError(
                f"{names} must agree in their first {dimensions} dimensions. "
                f"Received: {tuple(first.shape)} and {tuple(second.shape)}."
            )


def one_of(value: str, choices: Collection[str], name: str) -> None:
    """Demands one of the known names."""
    if value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        raise InputError(f"`{name}` must be one of {known}. Received: {value!r}.")


def whole_number(value: int, name: str, at_least: int) -> None:
    """Demands an integer that is large enough."""
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise InputError(
            f"`{name}` must be a whole number of at least {at_least}. Received: {value!r}."
        )


def dtype_of(tensor: Tensor) -> str:
    """The name of a tensor's type on every backend."""
    return ops.dtype(tensor)


def is_floating(tensor: Tensor) -> bool:
    """Whether a tensor holds floating point numbers."""
    return dtype_of(tensor) in ("float16", "bfloat16", "float32", "float64")
