"""Checks, conversion, padding and resizing of the frames and flows of a network."""

import numpy as np
from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import resize
from tfvfi.ops.tensor import Side, Tensor

# Rows or columns added at the top, bottom, left and right.
Padding = tuple[Side, Side, Side, Side]


def check_pair(frame0: np.ndarray, frame1: np.ndarray) -> None:
    """Raises `InputError` unless both arguments are frames of one size and type."""
    for frame in (frame0, frame1):
        if not isinstance(frame, np.ndarray) or frame.ndim != 3 or frame.shape[-1] != 3:
            shape = getattr(frame, "shape", None)
            what = f"{type(frame).__name__}" if shape is None else f"an array of shape {shape}"
            raise InputError(f"a frame is a NumPy array of height x width x 3. Received: {what}")
        if 0 in frame.shape:
            raise InputError(f"a frame has at least one pixel. Received: shape {frame.shape}")
        if frame.dtype not in (np.uint8, np.uint16) and frame.dtype.kind != "f":
            raise InputError(f"frames are uint8, uint16 or float. Received: {frame.dtype}")
    if frame0.shape != frame1.shape or frame0.dtype != frame1.dtype:
        raise InputError(
            "both frames must have one size and type. "
            f"Received: {frame0.shape} {frame0.dtype} and {frame1.shape} {frame1.dtype}"
        )


def to_unit(frame: np.ndarray) -> np.ndarray:
    """Returns the frame as float32 in [0, 1]."""
    if frame.dtype.kind == "f":
        return frame.astype(np.float32)
    return frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)


def from_unit(frame: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Returns a frame in [0, 1] in the given type, clipped to its range and rounded."""
    clipped = np.clip(frame, 0, 1)
    if np.dtype(dtype).kind == "f":
        return clipped.astype(dtype)
    return np.rint(clipped * np.float32(np.iinfo(dtype).max)).astype(dtype)


def size(frames: Tensor) -> tuple[Side, Side]:
    """Returns height and width of a batch, as tensors where they are not known yet."""
    shape = ops.shape(frames)
    return shape[1], shape[2]


def next_multiple(side: Side, multiple: Side) -> Side:
    """Returns the smallest multiple that is not below a side.

    Example:
        >>> next_multiple(1080, 64)
        1088
    """
    # `-(-side // multiple)` would be wrong in ONNX, which rounds negative quotients towards zero.
    return (side + multiple - 1) // multiple * multiple


def pad_end(height: Side, width: Side, multiple: int) -> Padding:
    """Returns the padding at the bottom and right that extends both sides to a multiple."""
    below, right = (next_multiple(side, multiple) - side for side in (height, width))
    return 0, below, 0, right


def pad_edge(frames: Tensor, padding: Padding) -> Tensor:
    """Returns frames padded with repeated border pixels."""
    if _is_none(padding):
        return frames
    top, bottom, left, right = padding
    height, width = size(frames)
    rows = ops.clip(ops.arange(height + top + bottom) - top, 0, height - 1)
    columns = ops.clip(ops.arange(width + left + right) - left, 0, width - 1)
    return ops.take(ops.take(frames, rows, axis=1), columns, axis=2)


def pad_zeros(frames: Tensor, padding: Padding) -> Tensor:
    """Returns frames padded with zeros."""
    if _is_none(padding):
        return frames
    top, bottom, left, right = padding
    return ops.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)))


def _is_none(padding: Padding) -> bool:
    """Returns whether it is known already that nothing is added, so that no copy is needed."""
    return all(isinstance(side, int) and side == 0 for side in padding)


def crop(frames: Tensor, padding: Padding, height: Side, width: Side) -> Tensor:
    """Returns frames without the padding, which were `height` x `width` before it."""
    top, _, left, _ = padding
    return frames[:, top : top + height, left : left + width]


def resize_flow(flow: Tensor, height_and_width: Tensor) -> Tensor:
    """Returns flow resized to another size, with its values in pixels of that size."""
    before = size(flow)
    ratios = [
        ops.cast(after, "float32") / ops.cast(now, "float32")
        for after, now in zip(height_and_width, before, strict=True)
    ]
    return resize(flow, height_and_width) * ops.stack([ratios[1], ratios[0]])
