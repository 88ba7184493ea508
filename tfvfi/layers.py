"""Layers that several networks are made of, with PyTorch's borders and starting values.

A layer has one policy, given as `dtype`: networks hand their own `dtype_policy` down. Layers that
hold other layers derive from `Block`, which passes tensors on as they are, so that in half
precision the convolutions alone decide what is rounded and flow stays float32.
"""

from typing import Any

from keras import activations, initializers, layers, ops

from tfvfi.ops.convolution import fused_convolution, fused_doubling, fusible


class Block(layers.Layer):
    """A layer made of layers."""

    def __init__(self, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)

    def build(self, *_: Any) -> None:
        """The layers inside build themselves when they are first called."""
        self.built = True


class Conv2D(layers.Conv2D):
    """A convolution with `dilation * (kernel_size // 2)` zeros on every side, at any stride.

    Keras's "same" is that at stride 1 only: at stride 2 it leaves out the first row and column.

    Args:
        filters: Channels that come out.
        kernel_size: Side of the kernel, odd.
        strides: How many pixels it moves on.
        dilation: How far apart the pixels are that it reads.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        strides: int = 1,
        dilation: int = 1,
        **kwargs: Any,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation,
            padding="same" if strides == 1 else "valid",
            kernel_initializer=starting_values(),
            **kwargs,
        )
        self.border = dilation * (kernel_size // 2)
        self.plain = kernel_size == 3 and strides == dilation == 1

    def call(self, image: Any) -> Any:
        """The image convolved."""
        if self.activation in SLOPES and self.fusible(image):
            return fused_convolution(image, self.kernel, self.bias, slopes(self))
        return self.convolve(image)

    def fusible(self, image: Any) -> bool:
        """Whether the convolution and what follows can be one operation, here and now."""
        if not (self.plain and self.built and self.use_bias):
            return False
        return fusible(image, *self.kernel.shape[2:])

    def convolve(self, image: Any) -> Any:
        """The image convolved by stock operations."""
        if self.padding == "valid":
            beside = (self.border, self.border)
            image = ops.pad(image, ((0, 0), beside, beside, (0, 0)))
        return super().call(image)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The size that comes out."""
        if self.padding == "valid":
            batch, height, width, channels = input_shape
            more = 2 * self.border
            input_shape = (batch, height + more, width + more, channels)
        return super().compute_output_shape(input_shape)


class Double(layers.Conv2DTranspose):
    """A transposed convolution, 4 x 4 at stride 2, that gives exactly twice the size."""

    def __init__(self, filters: int, **kwargs: Any):
        # "same" is PyTorch's padding 1 here.
        super().__init__(
            filters, 4, strides=2, padding="same", kernel_initializer=starting_values(), **kwargs
        )

    def call(self, image: Any) -> Any:
        """The image at twice its size."""
        outputs, inputs = self.kernel.shape[2:]
        if self.activation in SLOPES and self.use_bias and fusible(image, inputs, 4 * outputs):
            return fused_doubling(image, self.kernel, self.bias, slopes(self))
        return super().call(image)


class PReLU(layers.Layer):
    """Multiplies negative values by a slope per channel, which begins at 0.25."""

    def build(self, input_shape: tuple) -> None:
        """Creates the slopes."""
        self.alpha = self.add_weight(
            shape=input_shape[-1:], initializer=initializers.Constant(0.25), name="alpha"
        )

    def call(self, values: Any) -> Any:
        """The values, negative ones multiplied by a slope per channel."""
        return ops.where(values > 0, values, self.alpha * values)


class ConvPReLU(Conv2D):
    """A convolution and a PReLU."""

    def __init__(self, filters: int, kernel_size: int = 3, strides: int = 1, **kwargs: Any):
        super().__init__(filters, kernel_size, strides, **kwargs)
        self.prelu = PReLU(dtype=self.dtype_policy, name="prelu")

    def call(self, image: Any) -> Any:
        """The image convolved, its negative values multiplied by a slope per channel."""
        if self.prelu.built and self.fusible(image):
            return fused_convolution(image, self.kernel, self.bias, self.prelu.alpha)
        return self.prelu(self.convolve(image))


def leaky_relu(maps: Any) -> Any:
    """Multiplies negative values by 0.1, as flow networks do."""
    return ops.leaky_relu(maps, 0.1)


# What activations multiply negative values by.
SLOPES = {
    activations.linear: 1.0,
    activations.relu: 0.0,
    activations.leaky_relu: 0.2,
    leaky_relu: 0.1,
}


def slopes(layer: Any) -> Any:
    """A convolution's activation as one slope for each channel."""
    return ops.full((layer.filters,), SLOPES[layer.activation], dtype="float32")


def starting_values() -> initializers.Initializer:
    """Uniform within 1 / sqrt(fan in), with which PyTorch's networks begin."""
    return initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
