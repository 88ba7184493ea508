"""Convolutions and what follows them in one pass, where no gradients are wanted.

They take a quarter of the multiplications (Winograd's minimal filtering); errors are about twice
those of a plain sum or, in bfloat16, smaller: sums and products are float32.
"""

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Tensor

# With fewer channels transforms cost more than they save; so do those of larger kernels on the few
# pixels where networks have such.
FEWEST_CHANNELS, LARGEST_KERNEL = 16, 512 * 512


def fusible(image: Tensor, inputs: int, outputs: int) -> bool:
    """Whether the functions here can take an image, here and now.

    Where they cannot, and wherever gradients may be wanted, layers use stock operations.

    Args:
        image: [N, H, W, C].
        inputs: Channels that the kernel sees.
        outputs: Channels that come out.
    """
    return (
        not gradients_wanted()
        and min(inputs, outputs) >= FEWEST_CHANNELS
        and inputs * outputs <= LARGEST_KERNEL
        and ops.dtype(image) in ("float32", "bfloat16")
        and native.usable(image)
    )


def fused_convolution(
    image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, shortcut: Tensor | None = None
) -> Tensor:
    """A 3 x 3 convolution with zeros around the image, then PReLU.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [3, 3, inputs, D]. It sees the last channels of the image; those before, if there
            are more than inputs, pass through and come first in what comes out.
        bias: [D].
        slope: [D]; what negative values are multiplied by: 0 is ReLU, 1 leaves them.
        shortcut: Of the shape of what comes out, added before that.

    Returns:
        [N, H, W, C - inputs + D] of the image's type.
    """
    return native.fused_convolution(image, kernel, bias, slope, shortcut)


def fused_doubling(image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    """A transposed convolution, 4 x 4 at stride 2, that gives exactly twice the size, then PReLU.

    Each of the four pixels that become of one is a 3 x 3 convolution of which a row and a column
    are 0.

    Args:
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [4, 4, D, C].
        bias: [D].
        slope: [D].

    Returns:
        [N, 2 H, 2 W, D] of the image's type.
    """
    kernel = _as_convolution(kernel)
    bias, slope = ops.tile(bias, 4), ops.tile(slope, 4)
    return native.fused_convolution(image, kernel, bias, slope, doubled=True)


def doubling(image: Tensor, kernel: Tensor) -> Tensor:
    """The transposed convolution of `fused_doubling` alone, as a stock convolution.

    TensorFlow's own transposed convolution splits its sums by the number of threads, so its last
    bits depend on the machine. Those of a convolution do not.

    Args:
        image: [N, H, W, C].
        kernel: [4, 4, D, C].

    Returns:
        [N, 2 H, 2 W, D].
    """
    outputs = kernel.shape[2]
    pixels = ops.conv(image, _as_convolution(kernel), padding="same")
    batch, height, width, _ = ops.shape(pixels)
    pixels = ops.reshape(pixels, (batch, height, width, 2, 2, outputs))
    pixels = ops.transpose(pixels, (0, 1, 3, 2, 4, 5))
    return ops.reshape(pixels, (batch, 2 * height, 2 * width, outputs))


def _as_convolution(kernel: Tensor) -> Tensor:
    """The 3 x 3 kernel, [3, 3, C, 4 D], that gives the four pixels which become of one."""
    nothing = 4
    rows = [3, 1, nothing, nothing, 2, 0]
    kernel = ops.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))
    kernel = ops.take(ops.take(kernel, rows, axis=0), rows, axis=1)
    _, _, outputs, inputs = kernel.shape
    kernel = ops.reshape(kernel, (2, 3, 2, 3, outputs, inputs))
    return ops.reshape(ops.transpose(kernel, (1, 3, 5, 0, 2, 4)), (3, 3, inputs, 4 * outputs))
