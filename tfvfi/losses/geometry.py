"""Geometry consistency: refined features should have the structure of the true frame's."""

from typing import Any

from tfvfi.losses.census import census_distance


def geometry(feature: Any, target: Any, patch: int = 3) -> Any:
    """Census distance of two features, channel by channel.

    Unlike `census`, gradients reach the target too: its encoder learns along.

    Args:
        feature: (B, H, W, C).
        target: The feature that the encoder gives for the true frame.
        patch: Side of the square of neighbors, odd.
    """
    return census_distance(feature, target, patch)
