"""The four pixels around a position, for operations that read from them or add to them."""

from keras import ops

from tfvfi.ops.tensor import Side, Tensor


def neighbors(
    position: Tensor, size: Side, beyond: str
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two pixels around each position on one axis, for any float32 position.

    Args:
        position: float32, on an axis of `size` pixels; NaN is taken as far outside.
        beyond: "border" if pixels outside the frame are those of its edge, "nothing" if they
            do not exist.

    Returns:
        ((index, weight), (index, weight)); every index is inside the frame, and the weights are 0
        where a pixel does not exist. The weights carry the gradient to the position.
    """
    # Two pixels outside is as good as infinitely far, and an integer can hold it.
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
    """Index of each frame's first pixel among the pixels of a batch, [N, 1, 1]."""
    return ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1, 1))


def columns(width: Side) -> Tensor:
    """0, 1, 2, ... as float32, [1, 1, W]."""
    return ops.reshape(ops.cast(ops.arange(width, dtype="int32"), "float32"), (1, 1, -1))


def rows(height: Side) -> Tensor:
    """0, 1, 2, ... as float32, [1, H, 1]."""
    return ops.reshape(ops.cast(ops.arange(height, dtype="int32"), "float32"), (1, -1, 1))
