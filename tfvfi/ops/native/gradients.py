"""Convolutions for training: native operations with gradients, composed of native operations."""

from typing import Any

from tfvfi.ops.tensor import Tensor


def convolution(
    library: Any, image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, shortcut: Tensor
) -> Tensor:
    """See `tfvfi.ops.convolution.fused_convolution`.

    Unlike for inference, convolution and PReLU are two operations, because the gradient reads what
    lies between them.

    Args:
        library: TensorFlow's module of the native operations.
        image: [N, H, W, C], float32 or bfloat16.
        kernel: [3, 3, inputs, D], float32.
        bias: [D], float32.
        slope: [D], float32.
        shortcut: A tensor of the shape of the output and of the image's type, or an empty one.
    """
    import tensorflow as tf

    inputs, outputs = kernel.shape[2:]
    ones, zeros = tf.ones((outputs,)), tf.zeros((inputs,))
    nothing = tf.zeros((0,), image.dtype)
    # Channels that the kernel is not applied to pass the PReLU unchanged.
    passed = tf.ones((image.shape[-1] - inputs,))

    @tf.custom_gradient
    def differentiable(image, kernel, bias, slope, shortcut):
        slopes = tf.concat([passed, slope], 0)
        sums = library.tfvfi_convolution(image, kernel, bias, ones, shortcut, doubled=False)
        activated = library.tfvfi_prelu(sums, slopes)

        def gradient(upstream):
            upstream, of_slopes, of_sums = library.tfvfi_prelu_gradient(sums, slopes, upstream)
            reversed_kernel = tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2))
            of_image = library.tfvfi_convolution(
                upstream, reversed_kernel, zeros, tf.ones_like(zeros), nothing, doubled=False
            )
            of_kernel = library.tfvfi_convolution_kernel_gradient(
                image, upstream, inputs=inputs, outputs=outputs
            )
            of_shortcut = nothing if shortcut.shape.rank == 1 else upstream
            return of_image, of_kernel, of_sums[-outputs:], of_slopes[-outputs:], of_shortcut

        return activated, gradient

    return differentiable(image, kernel, bias, slope, shortcut)
