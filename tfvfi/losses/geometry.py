"""Geometry consistency: refined features should have the structure of the true frame's."""

from tfvfi.losses.census import census_distance
from tfvfi.ops.tensor import Tensor


def geometry(feature: Tensor, target: Tensor, patch: int = 3) -> Tensor:
    """Census distance of two features, channel by channel.

    Unlike `census`, gradients reach the target too: its encoder learns along.

    Args:
        feature: (B, H, W, C).
        target: The feature that the encoder gives for the true frame.
        patch: Side of the square of neighbors, odd.
    """
    return census_distance(feature, target, patch)
