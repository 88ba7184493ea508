"""Super SloMo of NVIDIA and of Avinash Paliwal.

Both repositories hold the U-Nets; how their outputs are combined stands in a training loss and in a
script, so that it is written here again after the paper's equations.
"""

import types
from pathlib import Path
from typing import Any

import numpy as np
import torch

from originals import importing, tensors
from originals.subject import Subject

LEAST = 1e-10
# What NVIDIA subtracts from colors up to 255, and Paliwal from colors up to 1.
NVIDIA_MEAN = (109.93, 109.167, 101.455)
PALIWAL_MEAN = (0.429, 0.431, 0.397)


class SuperSloMo(torch.nn.Module):
    """Renders the frame at a time.

    Args:
        flows: Returns the flows between two frames, and what it hands on to `refine`.
        refine: Returns corrections of both flows, and the visibility of the first frame.
        warp: Samples a frame at the end of a flow.
        mean: Subtracted from both frames.
        time: The time of the frame.
    """

    def __init__(self, flows: Any, refine: Any, warp: Any, mean: torch.Tensor, time: float):
        super().__init__()
        self.flows, self.refine, self.warp, self.time = flows, refine, warp, time
        self.register_buffer("mean", mean.view(1, 3, 1, 1))

    def forward(self, frame0: torch.Tensor, frame1: torch.Tensor) -> torch.Tensor:
        """Returns the frame."""
        frame0, frame1, t = frame0 - self.mean, frame1 - self.mean, self.time
        flow01, flow10, handed = self.flows(torch.cat([frame0, frame1], 1))
        flow0 = t * (t * flow10 - (1 - t) * flow01)
        flow1 = (1 - t) * ((1 - t) * flow01 - t * flow10)
        more0, more1, seen0 = self.refine(
            frame0,
            frame1,
            (flow01, flow10),
            (flow0, flow1),
            (self.warp(frame0, flow0), self.warp(frame1, flow1)),
            handed,
        )
        weight0, weight1 = (1 - t) * seen0, t * (1 - seen0)
        blended = weight0 * self.warp(frame0, flow0 + more0)
        blended = blended + weight1 * self.warp(frame1, flow1 + more1)
        return blended / (weight0 + weight1 + LEAST) + self.mean


class NvidiaFlows(torch.nn.Module):
    """The first network of NVIDIA's module."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, pair: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns the flows in both directions and the coarsest features."""
        forward, coarsest, backward = self.model.make_flow_prediction(pair)
        return forward, backward, coarsest


class NvidiaRefinement(torch.nn.Module):
    """The second network of NVIDIA's module."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, frame0: Any, frame1: Any, between: Any, flows: Any, warped: Any, handed: Any):
        """Returns the corrections of both flows and the visibility."""
        read = torch.cat([frame0, frame1, warped[0], flows[0], warped[1], flows[1]], 1)
        more1, more0, seen0 = self.model.make_flow_interpolation(read, handed)
        return more0, more1, seen0


class PaliwalFlows(torch.nn.Module):
    """Paliwal's first U-Net."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, pair: torch.Tensor) -> tuple[Any, ...]:
        """Returns the flows in both directions."""
        flows = self.network(pair)
        return flows[:, :2], flows[:, 2:], None


class PaliwalRefinement(torch.nn.Module):
    """Paliwal's second U-Net."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, frame0: Any, frame1: Any, between: Any, flows: Any, warped: Any, handed: Any):
        """Returns the corrections of both flows and the visibility."""
        read = (frame0, frame1, *between, flows[1], flows[0], warped[1], warped[0])
        refined = self.network(torch.cat(read, 1))
        return refined[:, :2], refined[:, 2:4], torch.sigmoid(refined[:, 4:5])


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' networks with random weights."""
    return (nvidia if name == "superslomo" else paliwal)(clone, frames)


def nvidia(clone: Path, frames: list[np.ndarray]) -> Subject:
    """Returns the form of NVIDIA/unsupervised-video-interpolation."""
    pair = [tensors.padded(tensors.first(frame, white=255.0), 64, "constant") for frame in frames]
    height, width = pair[0].shape[2:]
    # Its `__init__` imports losses that need torchvision's VGG.
    importing.module("torchvision", models=types.SimpleNamespace(vgg16=_no_vgg))
    module = importing.load(clone, "models.HJSuperSloMo")
    arguments = types.SimpleNamespace(crop_size=(height, width), flow_scale=1, num_interp=1)
    model = module.HJSuperSloMo(arguments).eval()
    network = SuperSloMo(
        NvidiaFlows(model),
        NvidiaRefinement(model),
        model.resample2d_train,
        torch.tensor(NVIDIA_MEAN),
        tensors.TIME,
    )
    to_frame = tensors.frame_of(frames[0])
    return Subject(network, tuple(pair), lambda made: to_frame(made / 255), tensors.state_of(model))


def paliwal(clone: Path, frames: list[np.ndarray]) -> Subject:
    """Returns the form of avinashpaliwal/Super-SloMo."""
    unused = ("torchvision", "torchvision.transforms")
    published = importing.load(clone, "model", unused)
    pair = [tensors.padded(tensors.first(frame), 32) for frame in frames]
    height, width = pair[0].shape[2:]
    flows, refinement = published.UNet(6, 4), published.UNet(20, 5)
    network = SuperSloMo(
        PaliwalFlows(flows),
        PaliwalRefinement(refinement),
        published.backWarp(width, height, torch.device("cpu")),
        torch.tensor(PALIWAL_MEAN),
        tensors.TIME,
    ).eval()
    state = {
        f"{part}.{key}": values
        for part, unet in (("state_dictFC", flows), ("state_dictAT", refinement))
        for key, values in tensors.state_of(unet).items()
    }
    return Subject(network, tuple(pair), tensors.frame_of(frames[0]), state)


def _no_vgg(**_: Any) -> Any:
    return types.SimpleNamespace(children=lambda: [[]])
