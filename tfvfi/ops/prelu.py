"""PReLU, which multiplies negative values by a slope per channel."""

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.tensor import Tensor


def prelu(values: Tensor, slope: Tensor) -> Tensor:
    """Returns the values, with negative ones multiplied by the slope of their channel.

    The native form and its gradient are a single pass over memory each.

    Args:
        values: [N, H, W, C].
        slope: [C].
    """
    known = len(values.shape) == 4 and ops.dtype(values) in ("float32", "bfloat16")
    if known and native.usable(values):
        return native.prelu(values, slope)
    return ops.where(values > 0, values, slope * values)
