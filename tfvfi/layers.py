"""Layers that several networks share, with PyTorch's padding and initial values.

A layer has one policy, given as `dtype`; networks pass their own `dtype_policy` to their layers.
Layers that contain other layers derive from `Block`, which does not cast tensors. In half precision
only the convolutions therefore round values, and flow stays float32.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import keras
from keras import activations, initializers, layers, ops

from tfvfi.ops.convolution import (
    doubling,
    doubling_fusible,
    fused_convolution,
    fused_doubling,
    fused_large_convolution,
    fusible,
    large_fusible,
)
from tfvfi.ops.dispatch import gradients_wanted
from tfvfi.ops.prelu import prelu
from tfvfi.ops.tensor import Tensor

registered = keras.saving.register_keras_serializable("tfvfi")


class Block(layers.Layer):
    """A layer that contains other layers and creates and builds them together with itself.

    A subclass keeps every argument of its constructor as an attribute of the same name, which is
    all that `get_config` needs.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        # The arguments and outputs of the first call, with shapes in place of tensors.
        self._first_call: tuple[Tensor, Tensor] | None = None
        self._first_outputs: Any = None

    @property
    def output_shape(self) -> Any:
        """The output shapes of the first call, which `summary` shows."""
        if self._first_outputs is None:
            raise AttributeError(f"{self.name} was never called, so its output has no shape yet")
        return self._first_outputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs; the first call also builds the inner layers."""
        if self._first_call is None:
            self._first_call = _shapes(args), _shapes(kwargs)
        outputs = super().__call__(*args, **kwargs)
        if self._first_outputs is None:
            self._first_outputs = _shapes(outputs)
        return outputs

    def build(self, input_shape: Any = None) -> None:
        """Builds the inner layers, unless a call is about to do so.

        Args:
            input_shape: The shape of the first argument of `call`, or a nest of shapes.
        """
        self.built = True
        if self._first_call is None and input_shape is not None:
            self(_symbolic(input_shape))

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the arguments of the first call, from which `build_from_config` can rebuild."""
        if self._first_call is None:
            return None
        args, kwargs = self._first_call
        return {"args": args, "kwargs": kwargs}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Builds the inner layers from the result of `get_build_config`."""
        self(*_symbolic(config["args"]), **_symbolic(config["kwargs"]))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        own = inspect.signature(type(self)).parameters.values()
        names = [each.name for each in own if each.kind is not each.VAR_KEYWORD]
        return super().get_config() | {name: _plain(getattr(self, name)) for name in names}


class UnroundedKernel(layers.Layer):
    """A layer whose kernel is read in full precision under half-precision policies.

    Native operations transform kernels before they round them. Two casts of a large kernel would
    take longer than some convolutions.
    """

    def add_weight(self, *args: Any, **kwargs: Any) -> keras.Variable:
        """Creates a variable; that of the kernel is read without rounding it."""
        return super().add_weight(*args, **kwargs | {"autocast": kwargs.get("name") != "kernel"})


@registered
class Conv2D(UnroundedKernel, layers.Conv2D):
    """A convolution with `dilation * (kernel_size // 2)` zeros on every side, at any stride.

    Keras's "same" padding is equivalent only at stride 1; at stride 2 it does not pad the first row
    and column.

    Args:
        filters: The number of output channels.
        kernel_size: Side of the kernel, odd.
        strides: The step between output pixels.
        dilation: The distance between the pixels that the kernel reads.
        **kwargs: Further arguments of `keras.layers.Conv2D`.
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
        self.dilation = dilation
        self.border = dilation * (kernel_size // 2)
        self.plain = kernel_size == 3 and strides == dilation == 1

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        config = {**super().get_config(), "dilation": self.dilation}
        for name in ("kernel_size", "strides"):
            config[name] = getattr(self, name)[0]
        return _without(config, "dilation_rate", "padding", "kernel_initializer")

    def call(self, image: Tensor) -> Tensor:
        """Returns the convolved image."""
        if self.activation in SLOPES and self.fusible(image):
            return self.fused(image, slopes(self))
        return self.convolve(image)

    def fusible(self, image: Tensor) -> bool:
        """Returns whether convolution and activation can run as one operation in this context."""
        if not self.built or self.dilation > 1:
            return False
        if self.plain:
            return fusible(image, *self.kernel.shape[2:])
        return large_fusible(image, self.kernel, self.strides[0])

    def fused(self, image: Tensor, slope: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """Returns the convolved image, with negative values multiplied by a slope per channel.

        Args:
            image: An image that is `fusible`.
            slope: The factors for negative values.
            shortcut: For 3 x 3 at stride 1: a tensor that is added before the slope is applied.
        """
        bias = self.bias if self.use_bias else ops.zeros((self.filters,), "float32")
        if self.plain:
            return fused_convolution(image, self.kernel, bias, slope, shortcut)
        return fused_large_convolution(image, self.kernel, bias, slope, self.strides[0])

    def convolve(self, image: Tensor) -> Tensor:
        """Returns the image convolved by stock operations."""
        if self.padding == "valid":
            beside = (self.border, self.border)
            image = ops.pad(image, ((0, 0), beside, beside, (0, 0)))
        return super().call(image)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Returns the image convolved with the kernel, in the image's type."""
        return super().convolution_op(inputs, ops.cast(kernel, inputs.dtype))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Returns the output shape."""
        if self.padding == "valid":
            batch, height, width, channels = input_shape
            more = 2 * self.border
            input_shape = (batch, height + more, width + more, channels)
        return super().compute_output_shape(input_shape)


@registered
class Double(UnroundedKernel, layers.Conv2DTranspose):
    """A transposed 4 x 4 convolution with stride 2, which exactly doubles the size."""

    def __init__(self, filters: int, **kwargs: Any):
        # Here "same" is equivalent to padding=1 in PyTorch.
        super().__init__(
            filters, 4, strides=2, padding="same", kernel_initializer=starting_values(), **kwargs
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        given = ("kernel_size", "strides", "padding", "kernel_initializer")
        return _without(super().get_config(), *given)

    def call(self, image: Tensor) -> Tensor:
        """Returns the image at twice its size."""
        fused = self.activation in SLOPES and self.use_bias
        if fused and doubling_fusible(image, self.kernel):
            return fused_doubling(image, self.kernel, self.bias, slopes(self))
        kernel = ops.cast(self.kernel, image.dtype)
        if gradients_wanted():
            doubled = ops.conv_transpose(image, kernel, strides=2, padding="same")
        else:
            doubled = doubling(image, kernel)
        return self.activation(doubled + self.bias if self.use_bias else doubled)


@registered
class DoublePReLU(Double):
    """A transposed convolution that doubles the size, followed by a PReLU."""

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.prelu = PReLU(dtype=self.dtype_policy, name="prelu")

    def build(self, input_shape: tuple) -> None:
        """Creates the kernel, the bias and the slopes."""
        super().build(input_shape)
        self.prelu.build(self.compute_output_shape(input_shape))

    def call(self, image: Tensor) -> Tensor:
        """Returns the image at twice its size after the PReLU."""
        if doubling_fusible(image, self.kernel):
            return fused_doubling(image, self.kernel, self.bias, self.prelu.alpha)
        return self.prelu(super().call(image))


@registered
class PReLU(layers.Layer):
    """Multiplies negative values by a slope per channel, which is 0.25 initially."""

    def build(self, input_shape: tuple) -> None:
        """Creates the slopes."""
        self.alpha = self.add_weight(
            shape=input_shape[-1:], initializer=initializers.Constant(0.25), name="alpha"
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this layer can be recreated."""
        return super().get_config()

    def call(self, values: Tensor) -> Tensor:
        """Returns the values, with negative ones multiplied by the slope of their channel."""
        return prelu(values, self.alpha)


@registered
class ConvPReLU(Conv2D):
    """A convolution followed by a PReLU."""

    def __init__(self, filters: int, kernel_size: int = 3, strides: int = 1, **kwargs: Any):
        super().__init__(filters, kernel_size, strides, **kwargs)
        self.prelu = PReLU(dtype=self.dtype_policy, name="prelu")

    def build(self, input_shape: tuple) -> None:
        """Creates the kernel, the bias and the slopes."""
        super().build(input_shape)
        self.prelu.build(self.compute_output_shape(input_shape))

    def call(self, image: Tensor) -> Tensor:
        """Returns the convolved image after the PReLU."""
        if self.fusible(image):
            return self.fused(image, self.prelu.alpha)
        return self.prelu(self.convolve(image))


@registered
def leaky_relu(maps: Tensor) -> Tensor:
    """Returns the maps with negative values multiplied by 0.1, as in flow networks."""
    return ops.leaky_relu(maps, 0.1)


# The factors by which activations multiply negative values.
SLOPES = {
    activations.linear: 1.0,
    activations.relu: 0.0,
    activations.leaky_relu: 0.2,
    leaky_relu: 0.1,
}


def slopes(layer: Any) -> Tensor:
    """Returns the activation of a convolution as one slope for each channel."""
    return ops.full((layer.filters,), SLOPES[layer.activation], dtype="float32")


def starting_values() -> initializers.Initializer:
    """Returns PyTorch's default initializer, uniform within 1 / sqrt(fan in)."""
    return initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in names}


def _plain(value: Any) -> Any:
    """Returns a nest of Keras's tracked containers as plain ones, which JSON can store."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _shapes(value: Any) -> Any:
    """Returns a nest with shapes in place of its tensors."""
    if hasattr(value, "shape"):
        return tuple(value.shape)
    if isinstance(value, Mapping):
        return {name: _shapes(each) for name, each in value.items()}
    return [_shapes(each) for each in value] if isinstance(value, list | tuple) else value


def _symbolic(value: Any) -> Any:
    """Returns a nest with symbolic tensors in place of shapes, the inverse of `_shapes`."""
    if isinstance(value, Mapping):
        return {name: _symbolic(each) for name, each in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if value and all(side is None or isinstance(side, int) for side in value):
        return keras.KerasTensor(value, dtype="float32")
    return [_symbolic(each) for each in value]
