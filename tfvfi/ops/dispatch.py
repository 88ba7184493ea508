"""Selects the form of operations: stock operations of Keras, or the compiled ones."""

import contextlib
import contextvars
from collections.abc import Iterator

_portable = contextvars.ContextVar("tfvfi_portable", default=False)
_inference = contextvars.ContextVar("tfvfi_inference", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """Returns a context in which operations use only stock operations, as exports require.

    It affects operations that are called or, in a compiled function, traced within it. Other
    threads are not affected.

    Example:
        >>> import numpy as np, tfvfi
        >>> image, flow = np.ones((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32")
        >>> with tfvfi.ops.portable():
        ...     warped = tfvfi.ops.backward_warp(image, flow)
    """
    token = _portable.set(True)
    try:
        yield
    finally:
        _portable.reset(token)


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """Returns a context that promises not to need gradients, so that operations may lack them."""
    token = _inference.set(True)
    try:
        yield
    finally:
        _inference.reset(token)


def gradients_wanted() -> bool:
    """Returns whether the caller is outside `inference()`."""
    return not _inference.get()


def native_allowed() -> bool:
    """Returns whether the caller is outside `portable()`."""
    return not _portable.get()
