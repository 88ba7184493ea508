"""IFRNet of ltkong218/IFRNet, in its three sizes."""

from pathlib import Path

import numpy as np
import torch

from originals import importing, tensors
from originals.subject import Subject

MODULES = {"ifrnet_s": "IFRNet_S", "ifrnet": "IFRNet", "ifrnet_l": "IFRNet_L"}
MULTIPLE = 16


class Inference(torch.nn.Module):
    """Runs what the authors' demo runs."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(
        self, frame0: torch.Tensor, frame1: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Returns the frame at a time."""
        return self.model.inference(frame0, frame1, time)


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights."""
    module = importing.load(clone, f"models.{MODULES[name]}", ("imageio", "PIL"))
    model = module.Model().eval()
    pair = [tensors.padded(tensors.first(frame), MULTIPLE) for frame in frames]
    return Subject(
        Inference(model),
        (*pair, torch.full((1, 1, 1, 1), tensors.TIME)),
        tensors.frame_of(frames[0]),
        tensors.state_of(model),
    )
