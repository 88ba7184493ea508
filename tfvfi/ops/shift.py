"""A piece put into a larger map of zeros, at a place that only a running loop knows."""

from keras import ops

from tfvfi.ops.tensor import Tensor


def rows_within(band: Tensor, first: Tensor, more: int, axis: int) -> Tensor:
    """A map with `more` rows than `band`: the band from row `first` on, zeros elsewhere."""
    shape = list(ops.shape(band))
    # Compiled loops on JAX can move the place they slice from, but not the width of a padding.
    padded = ops.pad(band, [(more, more) if at == axis else (0, 0) for at in range(len(shape))])
    start = [more - first if at == axis else 0 for at in range(len(shape))]
    shape[axis] = shape[axis] + more
    return ops.slice(padded, start, shape)
