"""Renders pictures in strips, so that memory depends on the strip and not on the picture."""

from collections.abc import Callable
from typing import Any

from keras import ops

from tfvfi.images import next_multiple
from tfvfi.ops.shift import rows_within
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor

# render(first row, state of the strip above) -> (strip, state for the strip below)
Paint = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def strip_rows(height: Tensor, pixels_a_row: Tensor, pixels: int, multiple: int = 1) -> Tensor:
    """Returns the rows per strip: about `pixels` pixels, with little left over at the bottom.

    Example:
        >>> strip_rows(height=1080, pixels_a_row=1920, pixels=100_000)
        52
    """
    units = _divided(height, multiple)
    strips = _divided(units, _divided(pixels, multiple * pixels_a_row))
    return multiple * _divided(units, strips)


def paint_in_strips(
    paint: Paint, size: tuple[Tensor, Tensor, Tensor], rows: Tensor, above: Tensor = ()
) -> Tensor:
    """Renders a picture strip by strip from top to bottom, never two strips at once.

    Args:
        paint: Renders one strip, see `Paint`; every strip is (batch, rows, width, 3).
        size: Batch, height and width of the picture; the height is a multiple of `rows`.
        rows: Rows per strip.
        above: The state that the topmost strip receives: a nest of tensors.

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
        # TensorFlow's loops require that shapes do not change.
        strip = ops.reshape(strip, (batch, rows, width, 3))
        picture = picture + rows_within(strip, first, height - rows, axis=1)
        # TensorFlow's loops run several iterations at once where possible. Here they cannot: the
        # first row of a strip depends on the strip above, through a number that is always 0.
        never = ops.cast(ops.max(strip) > float("inf"), "int32")
        return picture, first + rows + never, above

    blank = ops.zeros((batch, height, width, 3), dtype="float32")
    first = ops.convert_to_tensor(0, dtype="int32")
    return ops.fori_loop(0, height // rows, add_strip, (blank, first, above))[0]


def _divided(whole: Tensor, part: Tensor) -> Tensor:
    """Returns the number of parts, the last of which may be smaller."""
    return next_multiple(whole, part) // part
