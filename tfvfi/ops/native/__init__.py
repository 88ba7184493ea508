"""C++ forms of the operations for the CPU, as TensorFlow operations with their own gradients.

They compute in float32; inputs and outputs of half precision are cast. TensorFlow is imported only
when an operation is first called.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from tfvfi.ops.dispatch import native_allowed
from tfvfi.ops.tensor import Side, Tensor

DTYPES = ("float16", "bfloat16", "float32")
Grid = Callable[[Side], tuple[Tensor, Tensor, Tensor]]
# The types that some operations read and write without a cast.
DIRECT_DTYPES = ("bfloat16", "float32")
# The numbers of the paddings in the C++ sources.
PADDINGS = {"border": 0, "zeros": 1, "masked": 2}


def available() -> bool:
    """Returns whether compiled operations can be used, which requires the TensorFlow backend.

    If necessary, they are compiled first, which requires a C++ compiler. Without compiled
    operations everything works, only slower.

    Raises:
        InputError: TFVFI_NATIVE_ISA names an instruction set that this processor does not have.
    """
    return keras.backend.backend() == "tensorflow" and _library() is not None


def usable(*tensors: Tensor) -> bool:
    """Returns whether compiled operations can process these tensors in the current context.

    They cannot on backends other than TensorFlow, within `portable()`, in functions that XLA
    compiles, on a GPU, and for unsupported types.
    """
    if not native_allowed() or keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return (
        all(isinstance(tensor, tf.Tensor) and tensor.dtype.name in DTYPES for tensor in tensors)
        and not _compiled_by_xla()
        and not tf.config.get_visible_devices("GPU")
        and available()
    )


def backward_warp(image: Tensor, flow: Tensor, padding: str, grid: Grid) -> Tensor:
    """See `tfvfi.ops.backward_warp`.

    Args:
        image: [N, H, W, C].
        flow: [N, H, W, 2].
        padding: One of `PADDINGS`.
        grid: Returns pixel scale, flow scale and offset for an axis of n pixels.
    """
    import tensorflow as tf

    _, height, width, _ = keras.ops.shape(image)
    numbers = tf.stack([tf.cast(number, "float32") for n in (width, height) for number in grid(n)])
    out = _library().tfvfi_backward_warp(
        _direct(image), tf.cast(flow, "float32"), numbers, padding=PADDINGS[padding]
    )
    return tf.cast(out, image.dtype)


def splat(values: Tensor, flow: Tensor) -> Tensor:
    """See `tfvfi.ops.splat`."""
    import tensorflow as tf

    out = _library().tfvfi_splat(tf.cast(values, "float32"), tf.cast(flow, "float32"))
    return tf.cast(out, values.dtype)


def spline_coefficients(frame: Tensor, taps: list[float]) -> Tensor:
    """See `tfvfi.ops.spline`; `taps` holds the weights of pixels at distance 0, 1, 2, ..."""
    import tensorflow as tf

    out = _library().tfvfi_spline_coefficients(
        tf.cast(frame, "float32"), tf.constant(taps, "float32")
    )
    return tf.cast(out, frame.dtype)


def spline_read(spline: Tensor, frame: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """See `tfvfi.ops.spline.read`."""
    import tensorflow as tf

    sharp, soft = _library().tfvfi_spline_read(
        *(tf.cast(tensor, "float32") for tensor in (spline, frame, flow))
    )
    return tf.cast(sharp, frame.dtype), tf.cast(soft, frame.dtype)


def fuse(
    sources: Sequence[Tensor],
    motions: Sequence[tuple[Tensor, Tensor]],
    mask: Tensor,
    visible: Tensor,
    time: Tensor,
    settings: Sequence[float],
) -> tuple[Tensor, Tensor]:
    """See `tfvfi.ops.fusion.fuse`; `settings` are its constants."""
    import tensorflow as tf

    def single(tensor: Tensor) -> Tensor:
        return tf.cast(tensor, "float32")

    offsets, known = (
        tf.stack([single(part) for part in parts]) for parts in zip(*motions, strict=True)
    )
    frame, motion = _library().tfvfi_fuse_motions(
        *map(single, (sources[2], sources[3], sources[0], sources[1])),
        offsets,
        known,
        *map(single, (mask, visible)),
        tf.reshape(single(time), [-1]),
        tf.constant(settings, "float32"),
    )
    frame.set_shape(sources[0].shape)
    motion.set_shape(motions[0][0].shape)
    return tf.cast(frame, sources[0].dtype), tf.cast(motion, motions[0][0].dtype)


def correlation(
    a: Tensor,
    b: Tensor,
    max_displacement: int,
    stride: int,
    kernel_size: int,
    output_stride: int,
    padding: int | None,
) -> Tensor:
    """See `tfvfi.ops.correlation`."""
    import tensorflow as tf

    out = _library().tfvfi_correlation(
        tf.cast(a, "float32"),
        tf.cast(b, "float32"),
        max_displacement=max_displacement,
        stride=stride,
        kernel_size=kernel_size,
        output_stride=output_stride,
        padding=-1 if padding is None else padding,
    )
    side = 2 * (max_displacement // stride) + 1
    lost = 0 if padding is None else 2 * (max_displacement + kernel_size // 2 - padding)
    height, width = (
        None if size is None else (size - lost - 1) // output_stride + 1 for size in a.shape[1:3]
    )
    out.set_shape((a.shape[0], height, width, side * side))
    return tf.cast(out, a.dtype)


def separable_convolution(image: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """See `tfvfi.ops.separable_convolution`."""
    import tensorflow as tf

    out = _library().tfvfi_separable_convolution(
        *(tf.cast(tensor, "float32") for tensor in (image, vertical, horizontal))
    )
    out.set_shape((*vertical.shape[:3], image.shape[-1]))
    return tf.cast(out, image.dtype)


def local_convolution(image: Tensor, kernels: Tensor) -> Tensor:
    """See `tfvfi.ops.local_convolution`."""
    import tensorflow as tf

    out = _library().tfvfi_local_convolution(tf.cast(image, "float32"), tf.cast(kernels, "float32"))
    out.set_shape((*kernels.shape[:3], image.shape[-1]))
    return tf.cast(out, image.dtype)


def fused_convolution(
    image: Tensor,
    kernel: Tensor,
    bias: Tensor,
    slope: Tensor,
    shortcut: Tensor | None = None,
    doubled: bool = False,
    differentiable: bool = False,
) -> Tensor:
    """See `tfvfi.ops.convolution`; only the `differentiable` form has gradients."""
    import tensorflow as tf

    from tfvfi.ops.native import gradients

    inputs = (
        image,
        *(tf.cast(tensor, "float32") for tensor in (kernel, bias, slope)),
        tf.zeros((0,), image.dtype) if shortcut is None else tf.cast(shortcut, image.dtype),
    )
    if differentiable:
        out = gradients.convolution(_library(), *inputs)
    else:
        out = _library().tfvfi_convolution(*inputs, doubled=doubled)
    batch, *sides, channels = image.shape
    if doubled:
        sides = [None if side is None else 2 * side for side in sides]
        outputs = kernel.shape[2]
    else:
        outputs = channels - kernel.shape[2] + kernel.shape[3]
    out.set_shape((batch, *sides, outputs))
    return out


def large_convolution(
    image: Tensor, kernel: Tensor, bias: Tensor, slope: Tensor, stride: int
) -> Tensor:
    """See `tfvfi.ops.convolution`."""
    import tensorflow as tf

    out = _library().tfvfi_large_convolution(
        image, *(tf.cast(tensor, "float32") for tensor in (kernel, bias, slope)), stride=stride
    )
    batch, *sides, _ = image.shape
    taps = kernel.shape[0]
    sides = [
        None if side is None else -(-side // stride) if taps % 2 else max(0, side + 1 - taps)
        for side in sides
    ]
    out.set_shape((batch, *sides, kernel.shape[3]))
    return out


def join(maps: Sequence[Tensor], dtype: str) -> Tensor:
    """See `tfvfi.ops.channels`; `dtype` is one of `DIRECT_DTYPES`."""
    out = _library().tfvfi_join([_direct(each) for each in maps], type=dtype)
    out.set_shape((*maps[0].shape[:3], sum(each.shape[-1] for each in maps)))
    return out


def split(maps: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """See `tfvfi.ops.channels`; `maps` has one of `DIRECT_DTYPES`."""
    parts = _library().tfvfi_split(maps, sizes, count=len(sizes))
    for part, size in zip(parts, sizes, strict=True):
        part.set_shape((*maps.shape[:3], size))
    return parts


def census(x: Tensor, y: Tensor, patch: int) -> Tensor:
    """See `tfvfi.ops.census.census_distance`."""
    import tensorflow as tf

    x, y = tf.cast(x, "float32"), tf.cast(y, "float32")
    return _library().tfvfi_census(x, y, patch=patch).distance


def prelu(values: Tensor, slope: Tensor) -> Tensor:
    """See `tfvfi.ops.prelu`."""
    import tensorflow as tf

    return _library().tfvfi_prelu(values, tf.cast(slope, "float32"))


def resize(
    image: Tensor, height: Side, width: Side, scale_y: Tensor, scale_x: Tensor, align_corners: bool
) -> Tensor:
    """See `tfvfi.ops.resize`; output pixel i is read at (i + 0.5) / scale - 0.5."""
    import tensorflow as tf

    out = _library().tfvfi_resize(
        _direct(image),
        tf.stack([tf.cast(size, "int32") for size in (height, width)]),
        tf.stack([tf.cast(scale, "float64") for scale in (scale_y, scale_x)]),
        align_corners=align_corners,
    )
    sizes = (size if isinstance(size, int) else None for size in (height, width))
    out.set_shape((image.shape[0], *sizes, image.shape[-1]))
    return tf.cast(out, image.dtype)


def _direct(tensor: Tensor) -> Tensor:
    """Returns a tensor as one of `DIRECT_DTYPES`."""
    import tensorflow as tf

    return tensor if tensor.dtype.name in DIRECT_DTYPES else tf.cast(tensor, "float32")


def _library() -> Any:
    from tfvfi.ops.native import library

    return library.load()


def _compiled_by_xla() -> bool:
    """Returns whether the graph that is being traced will be compiled by XLA."""
    import tensorflow as tf

    # TensorFlow offers no public function for this question.
    from tensorflow.python.ops import control_flow_util

    if tf.executing_eagerly():
        return False
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
