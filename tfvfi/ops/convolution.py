"""Convolutions fused with their activation.

They need a quarter of the multiplications (Winograd's minimal filtering) unless there are very few
outputs, and so do the gradients of the 3 x 3 convolution; the other convolutions have no gradients
and are used where none are needed. Their errors are about twice those of a plain sum. In bfloat16,
sums and products are float32, except where the processor has AVX512-BF16: there, transformed pixels
and kernels are rounded to bfloat16 before they are multiplied, which takes half the time and makes
errors five (3 x 3) to ten times (5 x 5 and 7 x 7) those of a plain sum.
"""

import math

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Tensor

# With fewer input channels, the transforms cost more than they save.
FEWEST_INPUTS = {"float32": 8, "bfloat16": 16}
# To transform larger kernels pays only for images of at least so many pixels.
LARGEST_KERNEL, FEWEST_PIXELS = 1024 * 512, 96
# The same limits where gradients are wanted: for their inputs, which are outputs of the kernel, and
# for kernels of any size.
FEWEST_TRAINED_CHANNELS, FEWEST_TRAINED_PIXELS = 16, 512
# Sides of kernels and strides of `fused_large_convolution`. For 3 x 3 at stride 2, stock operations
# are as fast.
LARGE_SIDES, LARGE_STRIDES = (5, 7), (1, 2)
FEWEST_LARGE_OUTPUTS = 16
# Side of the kernel of `fused_spaced_convolution`, and the output rows and columns of each of the
# smaller images below which a product of matrices is faster.
SPACED_SIDE, FEWEST_SPACED_OUTPUTS = 4, 3


def fusible(image: Tensor, inputs: int, outputs: int) -> bool:
    """Returns whether `fused_convolution` can process an image in the current context.

    Where it cannot, layers use stock operations. Where gradients may be needed, images must be
    float32: the errors of bfloat16 would add up from layer to layer.

    Args:
        image: [N, H, W, C].
        inputs: The number of input channels of the kernel.
        outputs: The number of output channels of the kernel.
    """
    return (
        ops.dtype(image) in FEWEST_INPUTS
        and inputs >= FEWEST_INPUTS[ops.dtype(image)]
        and _worthwhile(image, inputs * outputs)
        and (not gradients_wanted() or _trainable(image, inputs, outputs))
        and native.usable(image)
    )


def doubling_fusible(image: Tensor, kernel: Tensor) -> bool:
    """Returns whether `fused_doubling` can process an image in the current context.

    Args:
        image: [N, H, W, C].
        kernel: [4, 4, D, C].
    """
    outputs, inputs = kernel.shape[2:]
    return not gradients_wanted() and fusible(image, inputs, 4 * outputs)


def large_fusible(image: Tensor, kernel: Tensor, stride: int) -> bool:
    """Returns whether `fused_large_convolution` can process an image in this context.

    Args:
        image: [N, H, W, C].
        kernel: [K, K, C, D].
        stride: The step between output pixels.
    """
    side, _, inputs, outputs = kernel.shape
    return (
        not gradients_wanted()
        and side in LARGE_SIDES
        and stride in LARGE_STRIDES
        and outputs >= FEWEST_LARGE_OUTPUTS
        and ops.dtype(image) in FEWEST_INPUTS
        and _worthwhile(image, stride**2 * inputs * outputs)
        and native.usable(image)
    )


def spaced_fusible(image: Tensor, side: int, spacing: int) -> bool:
    """Returns whether `fused_spaced_convolution` can process an image in this context.

    A size that is known only at run time counts as large.

    Args:
        image: [N, H, W, C].
        side: Side of the kernel.
        spacing: The distance between the pixels that the kernel reads.
    """
    fewest = (FEWEST_SPACED_OUTPUTS + SPACED_SIDE - 1) * spacing
    return (
        not gradients_wanted()
        and side == SPACED_SIDE
        and all(side is None or side >= fewest for side in image.shape[1:3])
        and ops.dtype(image) in FEWEST_INPUTS
        and native.usable(image)
    )


def fused_convolution(
    image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, shortcut: Tensor | None = None
) -> Tensor:
    """Returns a 3 x 3 convolution of an image that is padded with zeros, followed by PReLU.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [3, 3, inputs, D]. It is applied to the last channels of the image. The channels
            before them, if there are any, are copied to the front of the output.
        bias: [D].
        slope: [D], the factor for negative values: 0 gives ReLU, 1 the identity.
        shortcut: A tensor of the shape of the output, which is added before the PReLU. The kernel
            must then be applied to all channels.

    Returns:
        [N, H, W, C - inputs + D] of the image's type.
    """
    return native.fused_convolution(
        image, kernel, bias, slope, shortcut, differentiable=gradients_wanted()
    )


def fused_large_convolution(
    image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, stride: int
) -> Tensor:
    """Returns a convolution of an image that is padded with K // 2 zeros, followed by PReLU.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [K, K, C, D], where K is 5 or 7.
        bias: [D].
        slope: [D], as for `fused_convolution`.
        stride: The step between output pixels, 1 or 2.

    Returns:
        [N, ceil(H / stride), ceil(W / stride), D] of the image's type.
    """
    return native.large_convolution(image, kernel, bias, slope, stride)


def fused_spaced_convolution(
    image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, spacing: int
) -> Tensor:
    """Returns a 4 x 4 convolution that reads pixels apart from one another, followed by PReLU.

    Pixels of the same row and column modulo the spacing form smaller images, which are convolved
    without gaps. Nothing is padded.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [4, 4, C, D].
        bias: [D].
        slope: [D], as for `fused_convolution`.
        spacing: The distance between the pixels that the kernel reads.

    Returns:
        [N, H - 3 spacing, W - 3 spacing, D] of the image's type.
    """
    batch, height, width, channels = ops.shape(image)
    below, beside = -height % spacing, -width % spacing
    image = ops.pad(image, ((0, 0), (0, below), (0, beside), (0, 0)))
    rows, columns = (height + below) // spacing, (width + beside) // spacing
    image = ops.reshape(image, (batch, rows, spacing, columns, spacing, channels))
    image = ops.reshape(
        ops.transpose(image, (2, 4, 0, 1, 3, 5)), (spacing**2 * batch, rows, columns, channels)
    )
    found = native.large_convolution(image, kernel, bias, slope, stride=1)
    lost, outputs = SPACED_SIDE - 1, kernel.shape[3]
    rows, columns = rows - lost, columns - lost
    found = ops.reshape(found, (spacing, spacing, batch, rows, columns, outputs))
    found = ops.transpose(found, (2, 3, 0, 4, 1, 5))
    found = ops.reshape(found, (batch, rows * spacing, columns * spacing, outputs))
    return found[:, : height - lost * spacing, : width - lost * spacing]


def fused_doubling(image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    """Returns a transposed 4 x 4 convolution with stride 2, followed by PReLU.

    The output has exactly twice the size.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [4, 4, D, C].
        bias: [D].
        slope: [D].

    Returns:
        [N, 2 H, 2 W, D] of the image's type.
    """
    return native.fused_convolution(image, kernel, bias, slope, doubled=True)


def doubling(image: Tensor, kernel: Tensor) -> Tensor:
    """Returns the transposed convolution of `fused_doubling`, computed by a stock convolution.

    TensorFlow's own transposed convolution splits its sums by the number of threads, so that the
    last bits of the result depend on the machine. Those of a convolution do not. Every output pixel
    depends on 2 x 2 input pixels, so a 2 x 2 convolution of the padded image computes all of them.

    Args:
        image: [N, H, W, C].
        kernel: [4, 4, D, C].

    Returns:
        [N, 2 H, 2 W, D].
    """
    outputs = kernel.shape[2]
    batch, height, width, _ = ops.shape(image)
    image = ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pixels = ops.conv(image, _as_convolution(kernel), padding="valid")
    rows = []
    for y in range(2):
        row = [
            pixels[:, y : y + height, x : x + width, at * outputs : (at + 1) * outputs]
            for x, at in ((0, 2 * y), (1, 2 * y + 1))
        ]
        rows.append(ops.stack(row, axis=3))
    return ops.reshape(ops.stack(rows, axis=2), (batch, 2 * height, 2 * width, outputs))


def _worthwhile(image: Tensor, kernel_size: int) -> bool:
    """Returns whether transforming a kernel, of that many numbers for each tap, pays."""
    sides = image.shape[:3]
    return kernel_size <= LARGEST_KERNEL or (
        None not in sides and math.prod(sides) >= FEWEST_PIXELS
    )


def _trainable(image: Tensor, inputs: int, outputs: int) -> bool:
    """Returns whether the convolution with its gradients suits the type and size of an image.

    A size that is known only at run time counts as large.
    """
    sides = image.shape[:3]
    return (
        ops.dtype(image) == "float32"
        and min(inputs, outputs) >= FEWEST_TRAINED_CHANNELS
        and (None in sides or math.prod(sides) >= FEWEST_TRAINED_PIXELS)
    )


def _as_convolution(kernel: Tensor) -> Tensor:
    """Returns the 2 x 2 kernel, [2, 2, C, 4 D], that computes four output pixels of 2 x 2 inputs.

    They are the upper left, upper right, lower left and lower right one.
    """
    _, _, outputs, inputs = kernel.shape
    taps = ops.reshape(ops.flip(kernel, (0, 1)), (2, 2, 2, 2, outputs, inputs))
    return ops.reshape(ops.transpose(taps, (0, 2, 5, 1, 3, 4)), (2, 2, inputs, 4 * outputs))
