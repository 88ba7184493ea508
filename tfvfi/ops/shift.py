"""Placement of a band in a larger map of zeros, at a position that only a running loop knows."""

from keras import ops

from tfvfi.ops.tensor import Tensor


def rows_within(band: Tensor, first: Tensor, more: int, axis: int) -> Tensor:
    """Returns a map of zeros with `more` rows than `band` that holds the band from row `first`."""
    shape = list(ops.shape(band))
    # Compiled loops on JAX support a variable start of a slice, but no variable padding width.
    padded = ops.pad(band, [(more, more) if at == axis else (0, 0) for at in range(len(shape))])
    start = [more - first if at == axis else 0 for at in range(len(shape))]
    shape[axis] = shape[axis] + more
    return ops.slice(padded, start, shape)
