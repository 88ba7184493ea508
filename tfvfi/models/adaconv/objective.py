"""The training objective of AdaConv: colors, and their gradients towards neighboring pixels.

The Keras project omits the gradients. Its loss is the sum, rather than the mean, of absolute color
differences over a batch in float16, which has a resolution of 1 above 1,024 and overflows above
65,504. For its separable network it takes the matrix 1-norm of each channel's difference, which is
the largest column sum and not an L1 loss, and then the 2-norm of the three. Neither is offered.
"""

from collections.abc import Mapping

import keras
from keras import ops

from tfvfi.errors import InputError
from tfvfi.losses.gradient import NEIGHBORS, neighbor_differences
from tfvfi.models.adaconv.network import KERNEL_REACH, REACH, WINDOW, weigh
from tfvfi.models.adaconv.trunk import SPACING
from tfvfi.ops.tensor import Tensor

COLORS = 3


def objective(
    network: keras.Model, batch: Mapping[str, Tensor], training: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns the mean absolute differences of colors, and of gradients summed over 8 directions.

    A pixel is rendered where its whole window lies inside the crop: the central pixel of a crop of
    79 x 79, or 16 x 16 pixels of a crop of 94 x 94 at the cost of 25 such windows.

    The gradients of the rendered frame would require the kernels of all neighbors. As in the paper,
    a pixel's own kernels weight the gradients of both frames instead.

    Raises:
        InputError: The size of the crop is unsuitable.
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


def _compared(frame: Tensor, border: int) -> Tensor:
    """Returns the colors and gradients of a frame without its border."""
    outer = border - 1
    return ops.concatenate(
        [
            frame[:, border:-border, border:-border],
            neighbor_differences(frame[:, outer:-outer, outer:-outer]),
        ],
        axis=-1,
    )


def _check_crop(shape: tuple) -> None:
    """Raises an error for crops whose batch statistics would include pixels of padding."""
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
