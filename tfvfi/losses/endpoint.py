"""Endpoint errors, which are distances between the ends of estimated and true flow vectors."""

from collections.abc import Sequence

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import channel_norm
from tfvfi.ops.tensor import Tensor

NORMS = ("l1", "l2")


def endpoint_error(flow: Tensor, target: Tensor) -> Tensor:
    """Returns the mean distance between the ends of two flows, in their unit.

    Args:
        flow: (B, H, W, 2).
        target: The true flow, of the same shape.

    Example:
        >>> import numpy as np, tfvfi
        >>> flow = np.full((1, 4, 4, 2), (3, 4), "float32")
        >>> float(tfvfi.losses.endpoint_error(flow, np.zeros_like(flow)))
        5.0
    """
    return ops.mean(channel_norm(flow - target))


def flow_difference(flow: Tensor, target: Tensor, norm: str = "l2") -> Tensor:
    """Returns the mean absolute difference of components ("l1") or the endpoint error ("l2")."""
    if norm not in NORMS:
        raise InputError(f"norm is one of {', '.join(NORMS)}. Received: {norm!r}")
    return ops.mean(ops.abs(flow - target)) if norm == "l1" else endpoint_error(flow, target)


def multi_scale_flow(
    flows: Sequence[Tensor],
    target: Tensor,
    norm: str = "l1",
    first_weight: float = 0.32,
    first_scale: int = 4,
    unit: float = 20.0,
) -> tuple[Tensor, Tensor]:
    """Returns weighted differences of flows at several sizes, the loss of FlowNet 2.0.

    Every level has half the size and half the weight of the level before it. The target is
    average-pooled to the size of each level.

    Args:
        flows: Flows from fine to coarse, (B, h, w, 2), in units of `unit` pixels at the size of
            the target.
        target: (B, H, W, 2), in pixels. Its sides must be divisible by the coarsest scale.
        norm: "l1" or "l2".
        first_weight: The weight of the first level.
        first_scale: How many times smaller the first level is than the target.
        unit: The number of pixels in one unit of the flows.

    Returns:
        The loss, and the endpoint error with the same weights.
    """
    loss = error = 0.0
    for level, flow in enumerate(flows):
        scale, weight = first_scale * 2**level, first_weight / 2**level
        smaller = ops.average_pool(target / unit, scale, scale)
        loss = loss + weight * flow_difference(flow, smaller, norm)
        error = error + weight * endpoint_error(flow, smaller)
    return loss, error
