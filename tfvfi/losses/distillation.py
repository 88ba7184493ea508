"""Task-oriented flow distillation: learn from another network's flow where it helps the frame."""

from collections.abc import Sequence

from keras import ops

from tfvfi import images
from tfvfi.losses.charbonnier import adaptive_charbonnier
from tfvfi.ops.tensor import Tensor


def robust_weight(flow: Tensor, target: Tensor, beta: float = 0.3) -> Tensor:
    """exp(-beta |flow - target|) of every pixel, (B, H, W, 1), without a gradient.

    Where the network's own flow disagrees with its teacher's, the teacher counts less.
    """
    length = ops.sqrt(ops.sum(ops.square(flow - target), axis=-1, keepdims=True))
    return ops.stop_gradient(ops.exp(-beta * length))


def flow_distillation(levels: Sequence[Tensor], target: Tensor, weight: Tensor) -> Tensor:
    """Adaptive Charbonnier losses of coarse flows against a full-size one, summed.

    Args:
        levels: Flows of any smaller sizes, in pixels of their own.
        target: The teacher's flow, (B, H, W, 2).
        weight: `robust_weight` of the full-size flow.
    """
    size = images.size(target)
    enlarged = [images.resize_flow(flow, size) for flow in levels]
    return sum(adaptive_charbonnier(flow - target, weight) for flow in enlarged)
