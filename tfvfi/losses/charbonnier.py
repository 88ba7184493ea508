"""Charbonnier losses, which are smooth variants of the absolute difference."""

from keras import ops

from tfvfi.ops.tensor import Tensor


def charbonnier(difference: Tensor, mask: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """Returns the mean of sqrt(difference^2 + epsilon^2), nearly the mean absolute difference.

    Args:
        difference: A tensor of any shape.
        mask: Weights of the mean, which broadcast with `difference`.
        epsilon: The difference below which the loss turns from linear to quadratic.

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
    """Returns the mean of (difference^2 + epsilon^2)^(weight / 2).

    Epsilon is 10^(-(10 weight - 1) / 3). With a weight of 1 the loss is nearly the absolute
    difference; the closer the weight is to 0, the flatter the loss and the less large differences
    count.

    Args:
        difference: (B, H, W, C).
        weight: (B, H, W, 1), or one number, in [0, 1].
    """
    weight = ops.convert_to_tensor(weight, dtype=difference.dtype)
    epsilon = ops.power(10.0, -(10 * weight - 1) / 3)
    return ops.mean(ops.power(ops.square(difference) + ops.square(epsilon), weight / 2))
