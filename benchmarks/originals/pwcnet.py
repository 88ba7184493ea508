"""PWC-Net of sniklaus/pytorch-pwc."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from originals import importing, stand_ins, tensors
from originals.subject import Subject

MULTIPLE, QUARTER = 64, 4


class Enlarged(torch.nn.Module):
    """Resizes the flow to the size of the frames, as the authors' script does."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, frame0: torch.Tensor, frame1: torch.Tensor) -> torch.Tensor:
        """Returns the flow from frame0 to frame1."""
        flow = self.network(frame0, frame1)
        return functional.interpolate(
            flow, scale_factor=QUARTER, mode="bilinear", align_corners=False
        )


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights and our correlation."""
    importing.module("correlation", FunctionCorrelation=stand_ins.correlation)
    with importing.without_downloads():
        script = importing.load(clone, "run", ("PIL", "PIL.Image"), on_processor=True)
        network = script.Network().eval()
    pair = [tensors.resized(tensors.first(frame, bgr=True), MULTIPLE) for frame in frames]
    return Subject(
        Enlarged(network), tuple(pair), tensors.flow_of(frames[0]), tensors.state_of(network)
    )
