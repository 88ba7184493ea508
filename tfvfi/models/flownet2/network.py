"""FlowNet 2.0: a chain of networks, each of which corrects the flow of the previous one.

The first network reads the two frames. Every later one also reads the second frame warped by the
current flow, that flow, and the remaining brightness error. Large and small displacements are
estimated by two separate branches, which a last network fuses at full resolution:

    frames -> C -> S -> S ---.
    frames -> SD -------------+-> fusion -> flow

`flownet2_c`, `_s` and `_sd` are single networks; `_cs` and `_css` are chains without the branch for
small displacements and without fusion.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import ArgumentError
from tfvfi.models.base import FlowEstimator
from tfvfi.models.flownet2.subnetworks import FlowNet
from tfvfi.ops import backward_warp, channel_norm, resize
from tfvfi.ops.channels import join
from tfvfi.ops.tensor import Tensor

# The networks estimate flow at a quarter of the size, in units of 20 pixels.
UNIT = 20.0
QUARTER = 4
# How the flow of the first, second and third network of a chain is upsampled, as published.
ENLARGED = ("bilinear", "bilinear", "nearest")
FITS = ("resize", "pad")


@keras.saving.register_keras_serializable("tfvfi")
class FlowNet2(FlowEstimator):
    """FlowNet 2.0 and its parts.

    Args:
        chain: The networks for large displacements, in order: "c", "s" or "sd".
        fusion: Whether to add a network for small displacements and one that fuses both flows.
        fit: What `estimate` does with sides that are not divisible by 64: "resize" scales the
            frames to the next divisible size; "pad" repeats the border, which keeps every pixel.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("flownet2_s", weights=None)
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 80, 3)).astype("uint8")
        >>> model.estimate(frame, np.roll(frame, 2, axis=1)).shape
        (48, 80, 2)
    """

    multiple = 64

    def __init__(
        self,
        chain: Sequence[str] = ("c", "s", "s"),
        fusion: bool = True,
        fit: str = "resize",
        **kwargs: Any,
    ):
        if fit not in FITS:
            raise ArgumentError(f"fit is one of {', '.join(FITS)}. Received: {fit!r}")
        super().__init__(**kwargs)
        self.chain = tuple(chain)
        self.fusion = fusion
        # Not named `fit`, because that is the method that trains a Keras model.
        self.fit_rule = fit
        policy = self.dtype_policy
        self.networks = [
            FlowNet(kind, dtype=policy, name=name)
            for kind, name in zip(self.chain, network_names(self.chain), strict=True)
        ]
        if fusion:
            self.small = FlowNet("sd", dtype=policy, name="flownets_d")
            self.fuse = FlowNet("fusion", dtype=policy, name="flownetfusion")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "chain": self.chain,
            "fusion": self.fusion,
            "fit": self.fit_rule,
        }

    def flow(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Estimates the flow from frame0 to frame1.

        Returns:
            "flow"; a single network also returns "flow_levels", its flows at 1/4, 1/8, ... 1/64 of
            the size in units of 20 pixels of the full size, on which it is trained.
        """
        frame0, frame1 = without_mean(frame0, frame1)
        steps = self.steps(frame0, frame1)
        flow = steps[-1]["flow"]
        if self.fusion:
            return {"flow": self.fused(frame0, frame1, flow)[0]}
        if len(self.chain) == 1:
            return {"flow": flow, "flow_levels": steps[0]["flow_levels"]}
        return {"flow": flow}

    def steps(self, frame0: Tensor, frame1: Tensor) -> list[dict[str, Tensor]]:
        """Returns the "flow" in pixels and the "flow_levels" of each network in the chain."""
        pair = join([frame0, frame1])
        found = []
        for network, method in zip(self.networks, ENLARGED, strict=False):
            known = [pair]
            if found:
                flow = found[-1]["flow"]
                warped = backward_warp(frame1, flow)
                known += [warped, flow / UNIT, channel_norm(frame0 - warped)]
            levels = network(join(known))
            flow = resize(UNIT * levels[0], QUARTER, method=method)
            found.append({"flow": flow, "flow_levels": levels})
        return found

    def fused(self, frame0: Tensor, frame1: Tensor, large: Tensor) -> list[Tensor]:
        """Returns the fused flow for large and small displacements at size 1, 1/2 and 1/4."""
        pair = join([frame0, frame1])
        # Divided here, where `flownet2_sd` multiplies: in the chain it was trained in another unit.
        small = resize(self.small(pair)[0] / UNIT, QUARTER, method="nearest")
        known = [frame0, small, large, channel_norm(small), channel_norm(large)]
        known += [channel_norm(frame0 - backward_warp(frame1, flow)) for flow in (small, large)]
        return self.fuse(join(known))

    def flow_at_any_size(self, frame0: Tensor, frame1: Tensor) -> Tensor:
        """Returns the flow of a batch of any size; see `fit`."""
        if self.fit_rule == "resize":
            return super().flow_at_any_size(frame0, frame1)
        height, width = images.size(frame0)
        padding = images.pad_end(height, width, self.multiple)
        flow = self.flow(*(images.pad_edge(frame, padding) for frame in (frame0, frame1)))["flow"]
        return images.crop(flow, padding, height, width)


def network_names(chain: Sequence[str]) -> list[str]:
    """Returns the published names of a chain's networks, such as flownetc and flownets_1."""
    alone = len(chain) == 1
    return [
        f"flownet{kind}" if alone or place == 0 else f"flownet{kind}_{place}"
        for place, kind in enumerate(chain)
    ]


def without_mean(frame0: Tensor, frame1: Tensor) -> tuple[Tensor, Tensor]:
    """Subtracts from both frames the mean of each color over both of them."""
    # In two steps, rows first: one sum over a whole frame would lose two more digits.
    rows = ops.mean((frame0 + frame1) / 2, axis=1, keepdims=True)
    mean = ops.mean(rows, axis=2, keepdims=True)
    return frame0 - mean, frame1 - mean
