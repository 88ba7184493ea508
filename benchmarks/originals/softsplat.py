"""SoftSplat of sniklaus/softmax-splatting."""

import types
from pathlib import Path

import numpy as np
import torch

from originals import importing, stand_ins, tensors
from originals.subject import Subject

MULTIPLE = 2


class Middle(torch.nn.Module):
    """Renders one frame."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, frame0: torch.Tensor, frame1: torch.Tensor) -> torch.Tensor:
        """Returns the middle frame."""
        return self.network(frame0, frame1, [tensors.TIME])[0]


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights, our correlation and our splatting."""
    importing.module("correlation", FunctionCorrelation=stand_ins.correlation)
    # The authors' own code normalizes what is splatted; only the sum itself is a CUDA kernel.
    splatting = importing.load(clone, "softsplat", ("cupy",))
    splatting.softsplat_func = types.SimpleNamespace(apply=stand_ins.splat)
    with importing.without_downloads():
        script = importing.load(clone, "run", ("PIL", "PIL.Image"), on_processor=True)
        network = script.Network().eval()
    pair = [tensors.padded(tensors.first(frame, bgr=True), MULTIPLE) for frame in frames]
    output = tensors.frame_of(frames[0], bgr=True)
    return Subject(Middle(network), tuple(pair), output, tensors.state_of(network))
