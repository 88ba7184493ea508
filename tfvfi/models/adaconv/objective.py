"""What AdaConv is trained with: colors, and how they change towards each pixel's neighbors.

The Keras project leaves the gradients out. Its loss is the sum, not the mean, of absolute color
differences over a batch, in float16: that moves in steps of 1 above 1,024 and is infinite above
65,504. For its separable network it takes the matrix 1-norm of each channel's difference, which
is the largest sum of a column and no L1 loss, and then the 2-norm of the three. Neither is offered.
"""

from collections.abc import Mapping
from typing import Any

from keras import ops

from tfvfi.errors import InputError
from tfvfi.losses.gradient import NEIGHBORS, neighbor_differences
from tfvfi.models.adaconv.network import KERNEL_REACH, REACH, WINDOW, weigh
from tfvfi.models.adaconv.trunk import SPACING

COLORS = 3


def objective(
    network: Any, batch: Mapping[str, Any], training: bool = True
) -> tuple[Any, dict[str, Any]]:
    """The mean absolute differences of colors, and of gradients summed over eight directions.

    A pixel is painted where its whole window lies inside the crop: the one in the middle of a
    crop of 79 x 79, and 16 x 16 of a crop of 94 x 94 at the price of 25 such windows.

    The gradients of the frame would need the kernels of all neighbors. As in the paper, a pixel's
    own kernels weigh the gradients of both frames instead.
    """
    frame0, frame1, target = (batch[key] for key in ("frame0", "frame1", "target"))
    if training:
        _check_crop(frame0.shape)
    kernels = network.kernels(frame0, frame1, training=training)
    around = REACH - KERNEL_REACH
    painted = weigh(kernels, *(_compared(frame, around) for frame in (frame0, frame1)))
    difference = ops.abs(painted - _compared(target, REACH))
    terms = {
        "color": ops.mean(difference[..., :COLORS]),
        "gradient": len(NEIGHBORS) * ops.mean(difference[..., COLORS:]),
    }
    return sum(terms.values()), terms


def _compared(frame: Any, border: int) -> Any:
    """Colors and gradients of a frame without its border."""
    outer = border - 1
    return ops.concatenate(
        [
            frame[:, border:-border, border:-border],
            neighbor_differences(frame[:, outer:-outer, outer:-outer]),
        ],
        axis=-1,
    )


def _check_crop(shape: tuple) -> None:
    """Refuses crops whose batch statistics would count pixels that are not theirs."""
    sides = tuple(shape[1:3])
    whole = all(
        side is not None and side > WINDOW and (side - WINDOW + 1) % SPACING == 0 for side in sides
    )
    if sides != (WINDOW, WINDOW) and not whole:
        raise InputError(
            f"adaconv is trained on crops of {WINDOW} pixels a side, or of {WINDOW - 1} and a "
            f"multiple of {SPACING} (86, 94, 102, ...); choose such a `crop_size`, and "
            f"records with patches as large. Received: {sides}"
        )
