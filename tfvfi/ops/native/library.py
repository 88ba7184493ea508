"""Loads the compiled operations into TensorFlow and registers their gradients."""

import ctypes
import functools
import logging
import os
from pathlib import Path
from typing import Any

from tfvfi.errors import InputError
from tfvfi.ops.native import build

logger = logging.getLogger(__name__)

# The instruction sets in the C++ sources, each of which includes those before it.
INSTRUCTION_SETS = ("baseline", "avx2", "avx512", "avx512_bf16")


@functools.cache
def load() -> Any:
    """Returns TensorFlow's module of the compiled operations, or None if they cannot be used.

    A warning gives the reason, unless TFVFI_NATIVE=0 disables the operations.

    Raises:
        InputError: TFVFI_NATIVE_ISA names an instruction set that this processor does not have.
    """
    if os.environ.get("TFVFI_NATIVE", "1") == "0":
        return None
    try:
        library, binary = _load()
    except Exception as error:  # The portable form works whatever the problem is.
        reason = " ".join(str(error).split())[:300]
        logger.warning("operations run in portable form, which is slower: %s", reason)
        return None
    _check_instruction_set(binary)
    _register_gradients(library)
    return library


def _load() -> tuple[Any, Path]:
    import tensorflow as tf

    packaged = build.packaged()
    if packaged.exists():
        try:
            return tf.load_op_library(str(packaged)), packaged
        except (tf.errors.OpError, OSError):
            # The binary was compiled elsewhere, against versions that differ from those here.
            pass
    cached = build.cached()
    return tf.load_op_library(str(cached)), cached


def _check_instruction_set(binary: Path) -> None:
    wanted = os.environ.get("TFVFI_NATIVE_ISA")
    if not wanted:
        return
    best = ctypes.CDLL(str(binary)).tfvfi_supported_isa
    best.restype = ctypes.c_char_p
    here = INSTRUCTION_SETS[: INSTRUCTION_SETS.index(best().decode()) + 1]
    if wanted not in here:
        raise InputError(
            f"TFVFI_NATIVE_ISA is one of {', '.join(INSTRUCTION_SETS)}, of which this processor "
            f"has {', '.join(here)}. Received: {wanted!r}"
        )


def _register_gradients(library: Any) -> None:
    import tensorflow as tf

    @tf.RegisterGradient("TfvfiBackwardWarp")
    def _(op, upstream):
        image, flow, grid = op.inputs
        of_image, of_flow = library.tfvfi_backward_warp_gradient(
            tf.cast(image, "float32"),
            flow,
            grid,
            tf.cast(upstream, "float32"),
            padding=op.get_attr("padding"),
        )
        return [tf.cast(of_image, image.dtype), of_flow, None]

    @tf.RegisterGradient("TfvfiJoin")
    def _(op, upstream):
        sizes = tf.stack([tf.shape(each)[-1] for each in op.inputs])
        parts = library.tfvfi_split(upstream, sizes, count=len(op.inputs))
        return [tf.cast(part, each.dtype) for part, each in zip(parts, op.inputs, strict=True)]

    @tf.RegisterGradient("TfvfiSplit")
    def _(op, *upstream):
        image, sizes = op.inputs
        rest = image[..., tf.reduce_sum(sizes) :]
        gradient = library.tfvfi_join([*upstream, tf.zeros_like(rest)], type=image.dtype)
        return [gradient, None]

    @tf.RegisterGradient("TfvfiSplat")
    def _(op, upstream):
        return library.tfvfi_splat_gradient(*op.inputs, upstream)

    @tf.RegisterGradient("TfvfiCorrelation")
    def _(op, upstream):
        names = ("max_displacement", "stride", "kernel_size", "output_stride", "padding")
        attributes = {name: op.get_attr(name) for name in names}
        return library.tfvfi_correlation_gradient(*op.inputs, upstream, **attributes)

    @tf.RegisterGradient("TfvfiSeparableConvolution")
    def _(op, upstream):
        return library.tfvfi_separable_convolution_gradient(*op.inputs, upstream)

    @tf.RegisterGradient("TfvfiLocalConvolution")
    def _(op, upstream):
        return library.tfvfi_local_convolution_gradient(*op.inputs, upstream)

    @tf.RegisterGradient("TfvfiResize")
    def _(op, upstream):
        image, _, scale = op.inputs
        gradient = library.tfvfi_resize_gradient(
            tf.cast(image, "float32"),
            tf.cast(upstream, "float32"),
            scale,
            align_corners=op.get_attr("align_corners"),
        )
        return [tf.cast(gradient, image.dtype), None, None]

    @tf.RegisterGradient("TfvfiPrelu")
    def _(op, upstream):
        return library.tfvfi_prelu_gradient(*op.inputs, upstream)[:2]

    @tf.RegisterGradient("TfvfiCensus")
    def _(op, upstream, *_):
        return [upstream * gradient for gradient in op.outputs[1:]]
