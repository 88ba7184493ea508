"""Super SloMo: bidirectional flow, approximated at any intermediate time and refined there.

A first U-Net estimates the flow between the frames in both directions, once per pair. For a time t
these flows are combined, assuming straight motion, into flows from the intermediate frame to both
frames. A second U-Net reads both frames and their warped versions; it corrects the flows and
estimates, for every pixel, how visible it is in the first frame. The frames warped by the corrected
flows are blended by this visibility and by t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import ArgumentError
from tfvfi.models.base import Interpolator
from tfvfi.models.superslomo.unets import UNet
from tfvfi.ops import backward_warp, resize
from tfvfi.ops.channels import join, split
from tfvfi.ops.tensor import Tensor
from tfvfi.ops.warp import GRIDS

# The ratio between the size of an encoder's input and that of its coarsest features.
COARSEST = 32


@dataclass(frozen=True)
class Form:
    """The conventions of a published implementation, apart from the layout of its networks.

    Attributes:
        mean: Subtracted from frames in [0, 1]; also the color outside a frame.
        white: The internal value of 1.
        stride: `interpolate` pads sides to multiples of this.
        pad: The function that pads frames.
    """

    mean: tuple[float, float, float]
    white: float
    stride: int
    pad: Any


FORMS = {
    "nvidia": Form((109.93 / 255, 109.167 / 255, 101.455 / 255), 255.0, 64, images.pad_zeros),
    "paliwal": Form((0.429, 0.431, 0.397), 1.0, 32, images.pad_edge),
}


@keras.saving.register_keras_serializable("tfvfi")
class SuperSloMo(Interpolator):
    """Super SloMo in either form.

    Args:
        form: "nvidia" or "paliwal": the implementation whose published weights are used.
        flow_scale: The factor by which frames are downsampled to estimate flow: above 1 for
            large motion. It must be the same in training and in use.
        grid: The sampling grid, see `tfvfi.ops.backward_warp`. Weights must be used with the grid
            that they were trained with: "pixel" for NVIDIA's code up to PyTorch 1.2 and
            "unaligned" since, "off_by_one" for Paliwal's up to 1.2 and "off_by_half" since.
        widths: Channels of the six levels of both encoders.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("superslomo", weights=None)
        >>> frames = np.zeros((2, 1, 32, 64, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.25])})
        >>> tuple(out["frame"].shape), tuple(out["flow0"].shape), tuple(out["visibility"].shape)
        ((1, 32, 64, 3), (1, 32, 64, 2), (1, 32, 64, 1))
    """

    # Bytes of memory per pixel of a frame on a CPU, as measured.
    bytes_per_pixel = 1550

    def __init__(
        self,
        form: str = "nvidia",
        flow_scale: int = 1,
        grid: str = "pixel",
        widths: Sequence[int] = (32, 64, 128, 256, 512, 512),
        **kwargs: Any,
    ):
        if form not in FORMS:
            raise ArgumentError(f"form is one of {', '.join(FORMS)}. Received: {form!r}")
        if flow_scale < 1 or flow_scale % 1:
            raise ArgumentError(f"flow_scale is a whole number from 1. Received: {flow_scale!r}")
        if grid not in GRIDS:
            raise ArgumentError(f"grid is one of {', '.join(GRIDS)}. Received: {grid!r}")
        super().__init__(**kwargs)
        self.form = form
        # Flags and protocols may pass 2.0.
        self.flow_scale = int(flow_scale)
        self.grid = grid
        self.widths = tuple(widths)
        self.multiple = COARSEST * self.flow_scale
        policy = self.dtype_policy
        flows = {"forward": 2, "backward": 2}
        corrections = {"backward": 2, "forward": 2, "visibility": 1}
        self.flow_network = UNet(form, self.widths, flows, dtype=policy, name="flow")
        self.refinement = UNet(form, self.widths, corrections, dtype=policy, name="refinement")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "form": self.form,
            "flow_scale": self.flow_scale,
            "grid": self.grid,
            "widths": self.widths,
        }

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Normalizes both frames and estimates the flows between them."""
        frame0, frame1 = self._inwards(frame0), self._inwards(frame1)
        pair = join([frame0, frame1])
        if self.flow_scale == 1:
            flows, coarsest = self.flow_network(pair)
        else:
            size = [side // self.flow_scale for side in images.size(pair)]
            flows, coarsest = self.flow_network(resize(pair, size))
            flows = self.flow_scale * resize(flows, self.flow_scale)
            coarsest = resize(coarsest, self.flow_scale)
        flow01, flow10 = split(flows, (2, 2))
        prepared = {"frame0": frame0, "frame1": frame1, "flow01": flow01, "flow10": flow10}
        return prepared | {"coarsest": coarsest} if self.form == "nvidia" else prepared

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Renders the frame at `time` and returns it with all intermediate results.

        Returns:
            "frame", not clipped; "flow01" and "flow10", between the frames; "flow0" and "flow1",
            from the new frame to both frames, and "warped0" and "warped1", the frames warped by
            them; the same before their refinement as "raw_flow0" and so on; "visibility", how
            visible a pixel is in frame0.
        """
        frame0, frame1 = prepared["frame0"], prepared["frame1"]
        flow01, flow10 = prepared["flow01"], prepared["flow10"]
        t = ops.reshape(ops.cast(time, "float32"), (-1, 1, 1, 1))
        raw_flow0 = -(1 - t) * t * flow01 + t * t * flow10
        raw_flow1 = (1 - t) * (1 - t) * flow01 - t * (1 - t) * flow10
        raw_warped0, raw_warped1 = self._sample(frame0, raw_flow0), self._sample(frame1, raw_flow1)

        if self.form == "nvidia":
            seen = [frame0, frame1, raw_warped0, raw_flow0, raw_warped1, raw_flow1]
        else:
            seen = [frame0, frame1, flow01, flow10, raw_flow1, raw_flow0, raw_warped1, raw_warped0]
        refined, _ = self.refinement(join(seen), prepared.get("coarsest"))
        more0, more1, visibility = split(refined, (2, 2, 1))
        flow0, flow1 = raw_flow0 + more0, raw_flow1 + more1
        visibility = ops.sigmoid(visibility)

        warped0, warped1 = self._sample(frame0, flow0), self._sample(frame1, flow1)
        share0, share1 = (1 - t) * visibility, t * (1 - visibility)
        blend = (share0 * warped0 + share1 * warped1) / (share0 + share1 + 1e-10)
        return {
            "frame": self._outwards(blend),
            "flow0": flow0,
            "flow1": flow1,
            "flow01": flow01,
            "flow10": flow10,
            "visibility": visibility,
            "warped0": self._outwards(warped0),
            "warped1": self._outwards(warped1),
            "raw_flow0": raw_flow0,
            "raw_flow1": raw_flow1,
            "raw_warped0": self._outwards(raw_warped0),
            "raw_warped1": self._outwards(raw_warped1),
        }

    def warp(self, frame: Tensor, flow: Tensor) -> Tensor:
        """Warps a frame with this network's sampler: outside the frame lies the mean color."""
        return self._outwards(self._sample(self._inwards(frame), flow))

    @property
    def mean(self) -> tuple[float, float, float]:
        """Returns the color that is subtracted from frames in [0, 1]."""
        return FORMS[self.form].mean

    def padding(self, height: Tensor, width: Tensor) -> images.Padding:
        """Returns the padding at the bottom and right; the form "nvidia" uses multiples of 64."""
        return images.pad_end(height, width, math.lcm(FORMS[self.form].stride, self.multiple))

    def pad(self, frames: Tensor) -> Tensor:
        """Pads frames with black in the form "nvidia", and by repeating the border in "paliwal".

        Black is as published by NVIDIA; Paliwal's code resizes frames instead of padding them.
        """
        return FORMS[self.form].pad(frames, self.padding(*images.size(frames)))

    def _sample(self, values: Tensor, flow: Tensor) -> Tensor:
        return backward_warp(values, flow, padding="zeros", grid=self.grid)

    def _inwards(self, frame: Tensor) -> Tensor:
        return (frame - ops.convert_to_tensor(self.mean, "float32")) * FORMS[self.form].white

    def _outwards(self, values: Tensor) -> Tensor:
        return values / FORMS[self.form].white + ops.convert_to_tensor(self.mean, "float32")
