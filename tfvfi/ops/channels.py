"""Concatenation of maps along their channels, and the reverse.

The native forms are one pass over memory, in which narrow maps such as frames, flows and masks cost
no more than wide ones. Each is the gradient of the other.
"""

from collections.abc import Sequence
from itertools import accumulate

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.tensor import Tensor


def join(maps: Sequence[Tensor], dtype: str | None = None) -> Tensor:
    """Returns maps side by side along their channels.

    Args:
        maps: [N, H, W, C] each, with any numbers of channels and floating point types.
        dtype: The type of the result; that of the first map by default.
    """
    dtype = dtype or ops.dtype(maps[0])
    if dtype in native.DIRECT_DTYPES and native.usable(*maps):
        return native.join(maps, dtype)
    return ops.concatenate([ops.cast(each, dtype) for each in maps], axis=-1)


def split(maps: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Returns the first channels of maps, then the next ones, and so on.

    Args:
        maps: [N, H, W, C].
        sizes: The number of channels of every part. Together they may be fewer than C.
    """
    if ops.dtype(maps) in native.DIRECT_DTYPES and native.usable(maps):
        return native.split(maps, sizes)
    # PyTorch's exports cannot follow Keras's `split` by positions.
    return [maps[..., end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)]
