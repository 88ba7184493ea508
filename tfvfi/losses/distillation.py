"""Task-oriented flow distillation, which trains flow on a teacher's flow where the two agree."""

from collections.abc import Sequence

from keras import ops

from tfvfi import images
from tfvfi.losses.charbonnier import adaptive_charbonnier
from tfvfi.ops.tensor import Tensor


def robust_weight(flow: Tensor, target: Tensor, beta: float = 0.3) -> Tensor:
    """Returns exp(-beta |flow - target|) of every pixel, (B, H, W, 1), without a gradient.

    The teacher's flow counts less where the network's own flow disagrees with it.

    Args:
        flow: The network's own flow, (B, H, W, 2).
        target: The teacher's flow, of the same shape.
        beta: How fast the weight decreases with the distance.
    """
    length = ops.sqrt(ops.sum(ops.square(flow - target), axis=-1, keepdims=True))
    return ops.stop_gradient(ops.exp(-beta * length))


def flow_distillation(levels: Sequence[Tensor], target: Tensor, weight: Tensor) -> Tensor:
    """Returns the sum of the adaptive Charbonnier losses of coarse flows against a full-size one.

    Args:
        levels: Flows of any smaller sizes, each in pixels of its own size.
        target: The teacher's flow, (B, H, W, 2).
        weight: The `robust_weight` of the full-size flow.
    """
    size = images.size(target)
    enlarged = [images.resize_flow(flow, size) for flow in levels]
    return sum(adaptive_charbonnier(flow - target, weight) for flow in enlarged)
