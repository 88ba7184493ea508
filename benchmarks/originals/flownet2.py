"""FlowNet 2.0 and its parts, of NVIDIA/flownet2-pytorch."""

import types
from pathlib import Path

import numpy as np
import torch

from originals import importing, stand_ins, tensors
from originals.subject import Subject

CLASSES = {
    "flownet2": "FlowNet2",
    "flownet2_c": "FlowNet2C",
    "flownet2_s": "FlowNet2S",
    "flownet2_sd": "FlowNet2SD",
    "flownet2_cs": "FlowNet2CS",
    "flownet2_css": "FlowNet2CSS",
}
MULTIPLE, WHITE = 64, 255.0


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights and our forms of its CUDA extensions."""
    importing.module(
        "networks.correlation_package.correlation", Correlation=stand_ins.StridedCorrelation
    )
    importing.module("networks.resample2d_package.resample2d", Resample2d=stand_ins.Resample2d)
    importing.module("networks.channelnorm_package.channelnorm", ChannelNorm=stand_ins.ChannelNorm)
    published = getattr(importing.load(clone, "models"), CLASSES[name])
    network = published(types.SimpleNamespace(rgb_max=WHITE, fp16=False)).eval()
    pair = [tensors.resized(tensors.first(frame, white=WHITE), MULTIPLE) for frame in frames]
    return Subject(
        network,
        (torch.stack(pair, dim=2),),
        tensors.flow_of(frames[0]),
        tensors.state_of(network),
    )
