"""The census loss compares how pixels differ from their neighbors, regardless of brightness."""

from keras import ops

from tfvfi.ops.census import census_distance
from tfvfi.ops.tensor import Tensor


def census(image: Tensor, target: Tensor, patch: int = 7) -> Tensor:
    """Returns the census distance of the gray values of two images.

    No gradient flows to the target. Pixels whose patch extends beyond the image count as zero.

    Args:
        image: (B, H, W, C) in [0, 1].
        target: The true image, of the same shape.
        patch: Side of the square of neighbors, odd.
    """
    gray, gray_target = (ops.mean(each, axis=-1, keepdims=True) for each in (image, target))
    return census_distance(gray, ops.stop_gradient(gray_target), patch)
