"""Charbonnier losses: the absolute value made smooth at zero."""

from keras import ops

from tfvfi.ops.tensor import Tensor


def charbonnier(difference: Tensor, mask: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """Mean of sqrt(difference^2 + epsilon^2), about the mean absolute difference.

    Args:
        difference: Any shape.
        mask: Weights that the mean is taken with, of a shape that multiplies `difference`.
        epsilon: Where the curve turns from straight to round.

    Example:
        >>> import numpy as np, tfvfi
        >>> round(float(tfvfi.losses.charbonnier(np.full((2, 2), -0.5, "float32"))), 4)
        0.5
    """
    loss = ops.sqrt(ops.square(difference) + epsilon**2)
    if mask is None:
        return ops.mean(loss)
    return ops.mean(loss * mask) / ops.mean(mask)


def adaptive_charbonnier(difference: Tensor, weight: Tensor) -> Tensor:
    """Mean of (difference^2 + epsilon^2)^(weight / 2), epsilon = 10^(-(10 weight - 1) / 3).

    At weight 1 it is nearly the absolute difference; towards 0 it flattens and forgives.

    Args:
        difference: (B, H, W, C).
        weight: (B, H, W, 1), or one number, in [0, 1].
    """
    weight = ops.convert_to_tensor(weight, dtype=difference.dtype)
    epsilon = ops.power(10.0, -(10 * weight - 1) / 3)
    return ops.mean(ops.power(ops.square(difference) + ops.square(epsilon), weight / 2))
