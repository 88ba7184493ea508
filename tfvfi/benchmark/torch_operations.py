"""The closest equivalents of our operations in PyTorch, in its own layout, for benchmarks only."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional


def form(
    operation: str, options: dict[str, Any], arrays: list[np.ndarray]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Returns functions that run an operation forward, and only its gradients.

    Args:
        operation: The name of the operation.
        options: Its options.
        arrays: Its inputs, channels last.
    """
    channels_first = [np.ascontiguousarray(np.moveaxis(array, -1, 1)) for array in arrays]
    if operation == "local_convolution":
        channels_first[1] = arrays[1]
    tensors = [torch.tensor(array, requires_grad=True) for array in channels_first]
    if operation == "backward_warp":
        tensors[1] = _grid(tensors[1].detach()).requires_grad_()
    function = _FUNCTIONS[operation]

    def forward():
        with torch.no_grad():
            return function(*tensors, **options)

    out = function(*tensors, **options)
    upstream = torch.rand_like(out)

    def backward():
        return torch.autograd.grad(out, tensors, upstream, retain_graph=True)

    return forward, backward


def _grid(flow):
    """Returns flow as positions in -1 .. 1 for `grid_sample`; it is called before timing starts."""
    height, width = flow.shape[2:]
    x = flow[:, 0] + torch.arange(width)
    y = flow[:, 1] + torch.arange(height)[:, None]
    return torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)


def _warp(image, grid, padding):
    return functional.grid_sample(image, grid, padding_mode=padding, align_corners=True)


def _splat(values, flow):
    batch, channels, height, width = values.shape
    assert batch == 1
    x = flow[0, 0] + torch.arange(width)
    y = flow[0, 1] + torch.arange(height)[:, None]
    left, top = torch.floor(x.detach()), torch.floor(y.detach())
    out = torch.zeros(channels, height * width)
    for row in (top, top + 1):
        for column in (left, left + 1):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            out = out.index_add(1, index.long().flatten(), (values[0] * weight).flatten(1))
    return out.reshape(values.shape)


def _correlation(a, b, max_displacement=4):
    height, side = a.shape[2], 2 * max_displacement + 1
    padded = functional.pad(b, [max_displacement] * 4)
    rows = [
        (a[..., None] * padded[:, :, y : y + height].unfold(3, side, 1)).mean(1)
        for y in range(side)
    ]
    return torch.cat(rows, dim=-1)


def _resize(image, size_or_scale):
    return functional.interpolate(image, scale_factor=size_or_scale, mode="bilinear")


def _local(image, kernels):
    height, rows, columns = kernels.shape[1], *kernels.shape[3:]
    return sum(
        (image[:, :, row : row + height].unfold(3, columns, 1) * kernels[:, None, :, :, row]).sum(
            -1
        )
        for row in range(rows)
    )


def _separable(image, vertical, horizontal):
    rows, height, columns = *vertical.shape[1:3], horizontal.shape[1]
    taps = torch.moveaxis(horizontal, 1, -1)[:, None]
    return sum(
        (image[:, :, row : row + height].unfold(3, columns, 1) * taps).sum(-1)
        * vertical[:, row : row + 1]
        for row in range(rows)
    )


_FUNCTIONS = {
    "backward_warp": _warp,
    "splat": _splat,
    "correlation": _correlation,
    "resize": _resize,
    "local_convolution": _local,
    "separable_convolution": _separable,
}
