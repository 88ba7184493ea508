"""The four pixels around a position, for operations that read or add to them."""

from keras import ops

from tfvfi.ops.tensor import Side, Tensor


def neighbors(
    position: Tensor, size: Side, beyond: str
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Returns the two pixels around each position on one axis, with their bilinear weights.

    Args:
        position: float32, with any value. NaN counts as far outside.
        size: The number of pixels on the axis.
        beyond: "border" if the pixels outside the frame equal those of its edge, "nothing" if they
            do not exist.

    Returns:
        ((index, weight), (index, weight)). Every index is inside the frame, and the weight of a
        pixel that does not exist is 0. The weights carry the gradient to the position.
    """
    # Two pixels outside is equivalent to infinitely far, and fits into an integer.
    position = ops.where(ops.isnan(position), -2.0, position)
    position = ops.clip(position, -2.0, ops.cast(size, "float32") + 1.0)
    low = ops.floor(position)
    fraction = position - low
    low = ops.cast(low, "int32")
    found = []
    for index, weight in ((low, 1.0 - fraction), (low + 1, fraction)):
        inside = ops.clip(index, 0, size - 1)
        if beyond == "nothing":
            weight = ops.where(ops.equal(index, inside), weight, 0.0)
        found.append((inside, weight))
    left, right = found
    return left, right


def first_pixels(batch: Tensor, height: Side, width: Side) -> Tensor:
    """Returns the index of each frame's first pixel in a flattened batch, [N, 1, 1]."""
    return ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1, 1))


def columns(width: Side) -> Tensor:
    """Returns 0, 1, 2, ... as float32, [1, 1, W]."""
    return ops.reshape(ops.cast(ops.arange(width, dtype="int32"), "float32"), (1, 1, -1))


def rows(height: Side) -> Tensor:
    """Returns 0, 1, 2, ... as float32, [1, H, 1]."""
    return ops.reshape(ops.cast(ops.arange(height, dtype="int32"), "float32"), (1, -1, 1))
