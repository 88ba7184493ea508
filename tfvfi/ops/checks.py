"""Checks that operations apply to their inputs."""

from collections.abc import Collection

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops.tensor import Tensor


def float_tensor(value: Tensor, name: str, rank: int = 4, channels: int | None = None) -> Tensor:
    """Returns `value` as a floating point tensor after checking its rank and channel count."""
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
    """Requires the first dimensions to be equal, as far as they are known before run time."""
    sizes = tuple(first.shape)[:dimensions], tuple(second.shape)[:dimensions]
    for one, other in zip(*sizes, strict=True):
        if one is not None and other is not None and one != other:
            raise InputError(
                f"{names} must agree in their first {dimensions} dimensions. "
                f"Received: {tuple(first.shape)} and {tuple(second.shape)}."
            )


def one_of(value: str, choices: Collection[str], name: str) -> None:
    """Requires `value` to be one of `choices`."""
    if value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        raise InputError(f"`{name}` must be one of {known}. Received: {value!r}.")


def whole_number(value: int, name: str, at_least: int) -> None:
    """Requires an integer of at least `at_least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise InputError(
            f"`{name}` must be a whole number of at least {at_least}. Received: {value!r}."
        )


def dtype_of(tensor: Tensor) -> str:
    """Returns the name of a tensor's type, which is the same on every backend."""
    return ops.dtype(tensor)


def is_floating(tensor: Tensor) -> bool:
    """Returns whether a tensor holds floating point numbers."""
    return dtype_of(tensor) in ("float16", "bfloat16", "float32", "float64")
