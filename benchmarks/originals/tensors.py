"""Converts frames to the layout, colors and sizes of the authors' PyTorch code, and back."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as functional

TIME = 0.5


def next_multiple(side: int, multiple: int) -> int:
    """Returns the smallest multiple that is not below `side`."""
    return -(-side // multiple) * multiple


def first(frame: np.ndarray, bgr: bool = False, white: float = 1.0) -> torch.Tensor:
    """Returns a frame (1, H, W, 3) as (1, 3, H, W)."""
    turned = frame[..., ::-1] if bgr else frame
    return white * torch.from_numpy(np.ascontiguousarray(np.moveaxis(turned, -1, 1)))


def padded(frame: torch.Tensor, multiple: int, mode: str = "replicate") -> torch.Tensor:
    """Pads a frame on the right and at the bottom."""
    height, width = frame.shape[2:]
    beside = next_multiple(width, multiple) - width
    return functional.pad(
        frame, (0, beside, 0, next_multiple(height, multiple) - height), mode=mode
    )


def resized(frame: torch.Tensor, multiple: int) -> torch.Tensor:
    """Resizes a frame to the next sides that divide."""
    size = [next_multiple(side, multiple) for side in frame.shape[2:]]
    return functional.interpolate(frame, size, mode="bilinear", align_corners=False)


def frame_of(like: np.ndarray, bgr: bool = False) -> Callable[[torch.Tensor], np.ndarray]:
    """Returns a function that turns a network's output into a frame of the size of another."""
    height, width = like.shape[1:3]

    def output(made: torch.Tensor) -> np.ndarray:
        channels_last = np.moveaxis(made.float().clamp(0, 1).numpy(), 1, -1)
        return channels_last[:, :height, :width, :: -1 if bgr else 1]

    return output


def flow_of(like: np.ndarray) -> Callable[[torch.Tensor], np.ndarray]:
    """Returns a function that turns a network's flow into one of the size of a frame."""
    height, width = like.shape[1:3]

    def output(made: torch.Tensor) -> np.ndarray:
        ratio = torch.tensor([width / made.shape[3], height / made.shape[2]]).view(1, 2, 1, 1)
        flow = functional.interpolate(
            made.float(), (height, width), mode="bilinear", align_corners=False
        )
        return np.moveaxis((flow * ratio).numpy(), 1, -1)

    return output


def state_of(network: torch.nn.Module) -> Mapping[str, np.ndarray]:
    """Returns the weights of a network by their published names."""
    return {key: value.detach().numpy() for key, value in network.state_dict().items()}
