"""Pictures painted in strips, so that memory depends on a strip and not on the picture."""

from collections.abc import Callable
from typing import Any

from keras import ops

from tfvfi.images import next_multiple
from tfvfi.ops.shift import rows_within
from tfvfi.ops.sums import in_order

# paint(first row, what the strip above left) -> (strip, what it leaves for the one below)
Paint = Callable[[Any, Any], tuple[Any, Any]]


def strip_rows(height: Any, pixels_a_row: Any, pixels: int, multiple: int = 1) -> Any:
    """How many rows a strip has: about `pixels` pixels, and little left over at the bottom.

    Example:
        >>> strip_rows(height=1080, pixels_a_row=1920, pixels=100_000)
        52
    """
    units = _divided(height, multiple)
    strips = _divided(units, _divided(pixels, multiple * pixels_a_row))
    return multiple * _divided(units, strips)


def paint_in_strips(paint: Paint, size: tuple[Any, Any, Any], rows: Any, above: Any = ()) -> Any:
    """A picture whose strips are painted from top to bottom, never two at once.

    Args:
        paint: See `Paint`; every strip is (batch, rows, width, 3).
        size: Batch, height and width of the picture; the height is a multiple of `rows`.
        rows: Rows of a strip.
        above: What the topmost strip finds above it: a nest of tensors.

    Returns:
        (batch, height, width, 3), float32.
    """
    batch, height, width = size
    if isinstance(height, int) and height == rows:
        return paint(0, above)[0]

    @in_order()
    def add_strip(_: Any, state: Any) -> Any:
        picture, first, above = state
        strip, above = paint(first, above)
        # Loops of TensorFlow want to see that no shape changes.
        strip = ops.reshape(strip, (batch, rows, width, 3))
        picture = picture + rows_within(strip, first, height - rows, axis=1)
        # Loops of TensorFlow begin several steps at once where they can. They cannot here, as
        # where a strip begins depends (by a number that is always 0) on the strip above.
        never = ops.cast(ops.max(strip) > float("inf"), "int32")
        return picture, first + rows + never, above

    blank = ops.zeros((batch, height, width, 3), dtype="float32")
    first = ops.convert_to_tensor(0, dtype="int32")
    return ops.fori_loop(0, height // rows, add_strip, (blank, first, above))[0]


def _divided(whole: Any, part: Any) -> Any:
    """The number of parts, of which the last may be smaller."""
    return next_multiple(whole, part) // part
