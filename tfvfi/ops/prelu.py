"""PReLU, which multiplies negative values by a slope per channel."""

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Tensor


def prelu(values: Tensor, slope: Tensor) -> Tensor:
    """Returns the values, with negative ones multiplied by the slope of their channel.

    The native form is a single pass over memory; it has no gradients and is used where none are
    needed.

    Args:
        values: [N, H, W, C].
        slope: [C].
    """
    known = len(values.shape) == 4 and ops.dtype(values) in ("float32", "bfloat16")
    if known and not gradients_wanted() and native.usable(values):
        return native.prelu(values, slope)
    return ops.where(values > 0, values, slope * values)
