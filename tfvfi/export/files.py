"""Decoding and encoding of PNG and JPEG files inside the graph."""

from typing import Any

import tensorflow as tf

from tfvfi.export import refusal

ENCODERS = {"png": tf.io.encode_png, "jpeg": lambda frame: tf.io.encode_jpeg(frame, quality=95)}
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
# Offset and length of the width and height in a PNG file, two numbers of four bytes.
PNG_SIZE = 16, 8
# The most pixels in one request, because a small file can decode to gigabytes. 8K just fits.
MOST_PIXELS = 2**25


def decoded(files: Any) -> Any:
    """The frames of a batch of files, N x H x W x 3, uint8. Sizes are checked before decoding."""
    sizes = tf.map_fn(_size, files, fn_output_signature=tf.TensorSpec([2], tf.int64))
    checks = [
        refusal.unless(
            (tf.size(files) > 0) & tf.reduce_all(sizes == sizes[:1]),
            "a batch must have files, all of one height and width; received",
            sizes,
        ),
        refusal.unless(
            tf.reduce_sum(tf.reduce_prod(sizes, axis=1)) <= MOST_PIXELS,
            f"the files of a batch may have {MOST_PIXELS} pixels together; received",
            sizes,
        ),
    ]
    with tf.control_dependencies(checks):
        files = tf.identity(files)
    return tf.map_fn(_decoded, files, fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8))


def encoded(frames: Any, kind: str) -> Any:
    """A file for each frame."""
    return tf.map_fn(ENCODERS[kind], frames, fn_output_signature="string")


def _size(file: Any) -> Any:
    """Height and width from the first bytes of the file."""
    is_png, is_jpeg = (_begins(file, magic) for magic in (PNG, JPEG))
    known = refusal.unless(
        is_jpeg | (is_png & (tf.strings.length(file) > sum(PNG_SIZE))),
        "a frame is sent as a PNG or JPEG file; received one that begins otherwise",
    )
    with tf.control_dependencies([known]):
        size = tf.cond(is_png, lambda: _png_size(file), lambda: _jpeg_size(file))
    return tf.ensure_shape(size, [2])


def _begins(file: Any, magic: bytes) -> Any:
    return tf.strings.substr(file, 0, len(magic)) == magic


def _png_size(file: Any) -> Any:
    numbers = tf.io.decode_raw(tf.strings.substr(file, *PNG_SIZE), tf.int32, little_endian=False)
    return tf.cast(numbers[::-1], tf.int64)


def _jpeg_size(file: Any) -> Any:
    return tf.cast(tf.image.extract_jpeg_shape(file)[:2], tf.int64)


def _decoded(file: Any) -> Any:
    frame = tf.io.decode_image(file, channels=3, expand_animations=False)
    return tf.ensure_shape(frame, [None, None, 3])
