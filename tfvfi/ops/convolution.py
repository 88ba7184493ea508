"""Convolutions fused with their activation, for use where no gradients are needed.

They need a quarter of the multiplications (Winograd's minimal filtering). Their errors are about
twice those of a plain sum. In bfloat16, sums and products are float32, except where the processor
has AVX512-BF16: there, transformed pixels and kernels are rounded to bfloat16 before they are
multiplied, which takes half the time and makes errors about five times those of a plain sum.
"""

from keras import ops

from tfvfi.ops import native
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.tensor import Tensor

# With fewer channels the transforms cost more than they save. The same holds for larger kernels,
# which networks apply to few pixels.
FEWEST_CHANNELS, LARGEST_KERNEL = 16, 1024 * 512
# The same for kernels of `fused_doubling` and `fused_large_convolution`.
LARGEST_DOUBLING, LARGEST_LARGE = 512 * 512, 512 * 512
# Sides of kernels and strides of `fused_large_convolution`. For 3 x 3 at stride 2, stock operations
# are as fast.
LARGE_SIDES, LARGE_STRIDES = (5, 7), (1, 2)
# From this number of input channels on, stock convolutions with few outputs split their sums by the
# number of threads, so that the last bits of the result would depend on the machine.
SPLIT_INPUTS = 128


def fusible(image: Tensor, inputs: int, outputs: int) -> bool:
    """Returns whether the fused functions can process an image in the current context.

    Where they cannot, and wherever gradients may be needed, layers use stock operations.

    Args:
        image: [N, H, W, C].
        inputs: The number of input channels of the kernel.
        outputs: The number of output channels of the kernel.
    """
    return (
        not gradients_wanted()
        and inputs >= FEWEST_CHANNELS
        and (outputs >= FEWEST_CHANNELS or inputs >= SPLIT_INPUTS)
        and inputs * outputs <= LARGEST_KERNEL
        and ops.dtype(image) in ("float32", "bfloat16")
        and native.usable(image)
    )


def doubling_fusible(image: Tensor, kernel: Tensor) -> bool:
    """Returns whether `fused_doubling` can process an image in the current context.

    Args:
        image: [N, H, W, C].
        kernel: [4, 4, D, C].
    """
    outputs, inputs = kernel.shape[2:]
    return 4 * inputs * outputs <= LARGEST_DOUBLING and fusible(image, inputs, 4 * outputs)


def large_fusible(image: Tensor, kernel: Tensor, stride: int) -> bool:
    """Returns whether `fused_large_convolution` can process an image in the current context.

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
        and outputs >= FEWEST_CHANNELS
        and stride * stride * inputs * outputs <= LARGEST_LARGE
        # Products are float32. At stride 2, products of bfloat16 in the stock form are as fast.
        and (ops.dtype(image) == "float32" or (ops.dtype(image), stride) == ("bfloat16", 1))
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
        shortcut: A tensor of the shape of the output, which is added before the PReLU.

    Returns:
        [N, H, W, C - inputs + D] of the image's type.
    """
    return native.fused_convolution(image, kernel, bias, slope, shortcut)


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


def fused_doubling(image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor) -> Tensor:
    """Returns a transposed 4 x 4 convolution with stride 2, followed by PReLU.

    The output has exactly twice the size. Each of the four output pixels of an input pixel is
    computed by a 3 x 3 convolution in which one row and one column are 0.

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
    _, _, outputs, inputs = kernel.shape
    batch, height, width, _ = ops.shape(image)
    taps = ops.reshape(ops.flip(kernel, (0, 1)), (2, 2, 2, 2, outputs, inputs))
    taps = ops.reshape(ops.transpose(taps, (0, 2, 5, 1, 3, 4)), (2, 2, inputs, 4 * outputs))
    pixels = ops.conv(ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0))), taps, padding="valid")
    rows = []
    for y in range(2):
        row = [
            pixels[:, y : y + height, x : x + width, at * outputs : (at + 1) * outputs]
            for x, at in ((0, 2 * y), (1, 2 * y + 1))
        ]
        rows.append(ops.stack(row, axis=3))
    return ops.reshape(ops.stack(rows, axis=2), (batch, 2 * height, 2 * width, outputs))


def _as_convolution(kernel: Tensor) -> Tensor:
    """Returns the 3 x 3 kernel, [3, 3, C, 4 D], that computes the four output pixels of each."""
    nothing = 4
    rows = [3, 1, nothing, nothing, 2, 0]
    kernel = ops.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))
    kernel = ops.take(ops.take(kernel, rows, axis=0), rows, axis=1)
    _, _, outputs, inputs = kernel.shape
    kernel = ops.reshape(kernel, (2, 3, 2, 3, outputs, inputs))
    return ops.reshape(ops.transpose(kernel, (1, 3, 5, 0, 2, 4)), (3, 3, inputs, 4 * outputs))
