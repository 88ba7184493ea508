"""A variational solver for optical flow, without any learned parts.

A pixel must look the same at the position that its flow leads to. Linearized around the current
flow, this gives a 2 x 2 system per pixel: the squared differences over a window, weighted down
where they are large, plus the distance to the mean flow of the neighbors (Horn and Schunck, 1981;
Lucas and Kanade, 1981). Median filters keep motion edges sharp.
"""

from keras import ops

from tfvfi import images
from tfvfi.ops import backward_warp
from tfvfi.ops.sums import in_order
from tfvfi.ops.tensor import Tensor

# How often a frame is warped again at every size, and relaxation sweeps after each warp.
WARPS, SWEEPS = 3, 5
# Weight of the neighbors' mean flow relative to the window's squared differences.
SMOOTHNESS = 0.01
# Differences of about this size and above are weighted down.
ROBUST = 0.05
# Compensates for gradients, which vary less than colors.
GRADIENT_GAIN = 3.0
# The largest change of the flow, in pixels, before a frame is warped again.
LARGEST_STEP = 2.0
# Frames with a shorter side than this are too small to estimate motion from.
SMALLEST_SIDE = 10
# Distances in pixels between a pixel and the neighbors of its median filters.
MEDIANS = (2, 1)


def features(frame: Tensor) -> Tensor:
    """Returns what must match: colors, and gradients of gray, which are robust to lighting."""
    gray = ops.mean(frame, axis=-1, keepdims=True)
    return ops.concatenate([frame, *(GRADIENT_GAIN * part for part in gradients(gray))], axis=-1)


def solve(features0: Tensor, features1: Tensor, flow: Tensor) -> Tensor:
    """Refines the flow from one frame to another, (B, H, W, 2).

    Args:
        features0: `features` of the frame where the flow starts.
        features1: `features` of the frame where the flow ends.
        flow: The current flow, in pixels of this size.
    """
    height, width = images.size(flow)
    enough = ops.cast(ops.minimum(height, width) >= SMALLEST_SIDE, "float32")

    @in_order()
    def refine(_: Tensor, flow: Tensor) -> Tensor:
        found = _sweep(flow, *_system(features0, features1, flow))
        for distance in MEDIANS:
            found = _median(found, distance)
        # TensorFlow's loops require that shapes do not change, so known sides must stay known.
        return ops.reshape(flow + enough * (found - flow), ops.shape(flow))

    return ops.fori_loop(0, WARPS, refine, flow)


def gradients(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Returns derivatives along x and y over five pixels, at the same size."""
    height, width = images.size(maps)
    padded = images.pad_edge(maps, (2, 2, 2, 2))
    rows = [padded[:, 2 : 2 + height, at : at + width] for at in range(5)]
    columns = [padded[:, at : at + height, 2 : 2 + width] for at in range(5)]
    return tuple((a - 8 * b + 8 * d - e) / 12 for a, b, _, d, e in (rows, columns))


def _system(features0: Tensor, features1: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the windows' normal equations, as (xx, xy, yy) and (x, y)."""
    warped = backward_warp(features1, flow)
    difference = warped - features0
    along_x, along_y = gradients((warped + features0) / 2)
    weight = ops.mean(ops.square(difference), axis=-1, keepdims=True)
    weight = ops.rsqrt(weight + ROBUST**2)
    products = (
        (along_x, along_x),
        (along_x, along_y),
        (along_y, along_y),
        (along_x, difference),
        (along_y, difference),
    )
    sums = [ops.mean(a * b, axis=-1, keepdims=True) for a, b in products]
    window = _around(weight * ops.concatenate(sums, axis=-1))
    return window[..., :3], window[..., 3:]


def _sweep(flow: Tensor, matrix: Tensor, slope: Tensor) -> Tensor:
    """Relaxes every pixel between its window's solution and its neighbors' flow, several times."""
    xx, xy, yy = ops.split(matrix, 3, axis=-1)
    xx, yy = xx + SMOOTHNESS, yy + SMOOTHNESS
    scale = 1 / (xx * yy - xy * xy)
    step = ops.zeros_like(flow)
    for _ in range(SWEEPS):
        # The mean of the eight surrounding pixels.
        neighbors = (9 * _around(flow + step) - (flow + step)) / 8
        x, y = ops.split(SMOOTHNESS * (neighbors - flow) - slope, 2, axis=-1)
        step = ops.concatenate([yy * x - xy * y, xx * y - xy * x], axis=-1) * scale
        step = ops.clip(step, -LARGEST_STEP, LARGEST_STEP)
    return flow + step


def _around(maps: Tensor) -> Tensor:
    """Returns means over 3 x 3 pixels."""
    return ops.average_pool(maps, 3, strides=1, padding="same")


def _median(maps: Tensor, distance: int) -> Tensor:
    """Returns the median of each pixel and its four neighbors at that distance."""
    height, width = images.size(maps)
    padded = images.pad_edge(maps, (distance,) * 4)

    def moved(down: int, right: int) -> Tensor:
        return padded[:, down : down + height, right : right + width]

    up, down = moved(0, distance), moved(2 * distance, distance)
    left, right = moved(distance, 0), moved(distance, 2 * distance)
    # The median of the five is neither the smallest nor the largest of the four neighbors.
    low = ops.maximum(ops.minimum(up, down), ops.minimum(left, right))
    high = ops.minimum(ops.maximum(up, down), ops.maximum(left, right))
    least, most = ops.minimum(low, high), ops.maximum(low, high)
    return ops.maximum(least, ops.minimum(most, maps))
