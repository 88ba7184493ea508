"""The geometry consistency loss compares refined features with those of the true frame."""

from tfvfi.ops.census import census_distance
from tfvfi.ops.tensor import Tensor


def geometry(feature: Tensor, target: Tensor, patch: int = 3) -> Tensor:
    """Returns the census distance of two feature maps, channel by channel.

    Unlike in `census`, gradients also flow to the target, so that its encoder is trained too.

    Args:
        feature: (B, H, W, C).
        target: The output of the encoder for the true frame.
        patch: Side of the square of neighbors, odd.
    """
    return census_distance(feature, target, patch)
