"""PyTorch's own operations in the place of the authors' CUDA kernels.

Each takes the arguments that the authors' code passes, channels first, and computes what the kernel
computes. They are written as a user without a GPU would write them: no loops over pixels, no
compiled extension, and little memory. torch.compile and conversions to other formats get forms of
their own: fewer operations, which multiply whole windows and are fused with the sum.
"""

from typing import Any

import torch
import torch.nn.functional as functional

# Bytes of intermediate values that a convolution with taps of every pixel holds at a time: as much
# as fits in a processor's cache.
STRIP = 2**21


def correlation(tenOne: torch.Tensor, tenTwo: torch.Tensor) -> torch.Tensor:  # noqa: N803
    """Returns the mean product of features with those up to four pixels away, (B, 81, H, W).

    Args:
        tenOne: Features (B, C, H, W). PWC-Net and SoftSplat pass both arguments by these names.
        tenTwo: The features to compare with.
    """
    return _correlation(tenOne, tenTwo, reach=4, stride=1)


class StridedCorrelation(torch.nn.Module):
    """FlowNet 2.0's correlation, whose window skips positions.

    Args:
        pad_size: The border of zeros around both.
        kernel_size: Only 1, the network's, is known here.
        max_displacement: The reach of the window.
        stride1: Only 1 is known here.
        stride2: The distance between compared positions.
        corr_multiply: Unused by the published kernel.
    """

    def __init__(
        self,
        pad_size: int = 0,
        kernel_size: int = 1,
        max_displacement: int = 0,
        stride1: int = 1,
        stride2: int = 2,
        corr_multiply: int = 1,
    ):
        super().__init__()
        assert kernel_size == stride1 == 1 and pad_size == max_displacement
        self.reach, self.stride = max_displacement, stride2

    def forward(self, features0: torch.Tensor, features1: torch.Tensor) -> torch.Tensor:
        """Returns the mean products, one channel for each offset, row by row."""
        return _correlation(features0, features1, self.reach, self.stride)


class Resample2d(torch.nn.Module):
    """FlowNet 2.0's backward warping, which repeats the border."""

    def forward(self, image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """Returns the image sampled at the end of the flow."""
        height, width = flow.shape[2:]
        x = flow[:, 0] + torch.arange(width, device=flow.device)
        y = flow[:, 1] + torch.arange(height, device=flow.device)[:, None]
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
        return functional.grid_sample(
            image.float(), grid.float(), padding_mode="border", align_corners=True
        ).to(image.dtype)


class ChannelNorm(torch.nn.Module):
    """FlowNet 2.0's Euclidean norm over the channels."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Returns the norm of every pixel, (B, 1, H, W)."""
        return values.square().sum(1, keepdim=True).sqrt()


def splat(values: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Returns the sum of all pixels that land on a position, weighted bilinearly.

    Args:
        values: (B, C, H, W).
        flow: (B, 2, H, W), in pixels.
    """
    batch, channels, height, width = values.shape
    values, flow = values.float(), flow.float()
    x = flow[:, 0] + torch.arange(width, device=flow.device)
    y = flow[:, 1] + torch.arange(height, device=flow.device)[:, None]
    left, top = torch.floor(x), torch.floor(y)
    plane = height * width
    # Channels last, so that one index moves all channels of a pixel.
    rows = values.movedim(1, -1).reshape(-1, channels)
    first = plane * torch.arange(batch, device=flow.device)[:, None, None]
    summed = values.new_zeros(batch * plane, channels)
    for row in (top, top + 1):
        for column in (left, left + 1):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            share = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            index = (first + place.nan_to_num(0.0).long()).flatten()
            summed = summed.index_add(0, index, rows * share.reshape(-1, 1))
    return summed.reshape(batch, height, width, channels).movedim(-1, 1)


def separable_convolution(
    image: torch.Tensor, vertical: torch.Tensor, horizontal: torch.Tensor
) -> torch.Tensor:
    """Returns every pixel's sum over its window, weighted by an outer product of taps.

    Args:
        image: (B, C, H + taps - 1, W + taps - 1).
        vertical: (B, taps, H, W).
        horizontal: (B, taps, H, W).
    """
    vertical, horizontal, image = vertical.float(), horizontal.float(), image.float()
    taps, height, width = vertical.shape[1:]
    if _traced() and not _converted():
        windows = image.unfold(2, taps, 1).unfold(3, taps, 1)
        down, across = (each.movedim(1, -1).unsqueeze(1) for each in (vertical, horizontal))
        return (windows * down.unsqueeze(-1) * across.unsqueeze(-2)).sum((-2, -1))

    def strip(start: int, rows: int) -> torch.Tensor:
        across = horizontal[:, :, start : start + rows].movedim(1, -1).unsqueeze(1)
        windows = image[:, :, start : start + rows + taps - 1].unfold(3, taps, 1)
        return sum(
            (windows[:, :, row : row + rows] * across).sum(-1)
            * vertical[:, row : row + 1, start : start + rows]
            for row in range(taps)
        )

    return _in_strips(strip, height, 4 * image.shape[0] * image.shape[1] * width * taps)


def local_convolution(image: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """Returns every pixel's sum over its window, weighted by its own kernel.

    Args:
        image: (B, C, H + rows - 1, W + columns - 1).
        kernels: (B, H, W, rows, columns).
    """
    height, (rows, columns) = kernels.shape[1], kernels.shape[3:]
    windows = image.unfold(3, columns, 1)
    return sum(
        (windows[:, :, row : row + height] * kernels[:, None, :, :, row]).sum(-1)
        for row in range(rows)
    )


def _correlation(
    features0: torch.Tensor, features1: torch.Tensor, reach: int, stride: int
) -> torch.Tensor:
    height, width = features0.shape[2:]
    around = functional.pad(features1, [reach] * 4)
    if _traced():
        one = features0.float().unsqueeze(2)
        rows = [
            around[:, :, row : row + height].unfold(3, 2 * reach + 1, 1)[..., ::stride]
            for row in range(0, 2 * reach + 1, stride)
        ]
        products = [(one * row.float().movedim(-1, 2)).mean(1) for row in rows]
        return torch.cat(products, dim=1).to(features0.dtype)
    return torch.stack(
        [
            (features0 * around[:, :, row : row + height, column : column + width]).mean(1)
            for row in range(0, 2 * reach + 1, stride)
            for column in range(0, 2 * reach + 1, stride)
        ],
        dim=1,
    )


def _traced() -> bool:
    """Whether operations are recorded, by torch.compile or by a conversion."""
    return torch.compiler.is_compiling() or _converted()


def _converted() -> bool:
    """Whether operations are recorded in order to be converted to another format."""
    return torch.compiler.is_exporting() or torch.jit.is_tracing()


def _in_strips(strip: Any, height: int, bytes_per_row: int) -> torch.Tensor:
    """Returns all rows, computed some at a time; a conversion would repeat each strip."""
    rows = height if _converted() else max(1, STRIP // bytes_per_row)
    return torch.cat(
        [strip(start, min(rows, height - start)) for start in range(0, height, rows)], dim=2
    )
