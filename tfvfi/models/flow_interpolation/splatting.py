"""Frame interpolation by splatting both frames along their flows, without a synthesis network.

1. Each pixel has the weight exp(Z), Z = -ALPHA |frame - the other frame, warped along the flow|.
   It measures how well the two frames agree on the pixel's brightness (Niklaus and Liu, CVPR 2020),
   averaged over the neighborhood so that noise does not decide.
2. Both frames are splatted to time t along their shares of the flow and blended: every pixel that
   arrives counts by its weight and by how close its frame is in time.
3. Holes that one frame leaves are thus filled by the other. Where neither arrives, which shows in
   the sum of the splatted pixels rather than in their color, both frames are blended in place.
"""

from keras import ops

from tfvfi.ops import backward_warp, splat
from tfvfi.ops.channels import join, split
from tfvfi.ops.fusion import window_mean
from tfvfi.ops.tensor import Tensor

# How strongly the best match dominates where several pixels arrive.
ALPHA = 20.0
# Where less than this share of a pixel arrives, there is a hole.
HOLE = 1e-3


def prepare(frame0: Tensor, frame1: Tensor, flow01: Tensor, flow10: Tensor) -> dict[str, Tensor]:
    """Computes the metric of every pixel from the flow in both directions."""
    return {
        "frame0": frame0,
        "frame1": frame1,
        "flow01": flow01,
        "flow10": flow10,
        "metric0": brightness_constancy(frame0, frame1, flow01),
        "metric1": brightness_constancy(frame1, frame0, flow10),
    }


def render(pair: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
    """Returns the frame at `time`, and how many pixels of each frame arrived at each position."""
    from0 = _project(pair["frame0"], pair["metric0"], pair["flow01"] * time)
    from1 = _project(pair["frame1"], pair["metric1"], pair["flow10"] * (1 - time))
    colors, weight, count = ((1 - time) * a + time * b for a, b in zip(from0, from1, strict=True))
    parents = (1 - time) * pair["frame0"] + time * pair["frame1"]
    hole = count < HOLE
    frame = ops.where(hole, parents, colors / ops.where(hole, 1.0, weight))
    return {"frame": frame, "arrived0": from0[-1], "arrived1": from1[-1]}


def brightness_constancy(frame: Tensor, other: Tensor, flow: Tensor) -> Tensor:
    """Returns the metric Z of every pixel: 0 where the other frame matches along the flow."""
    gap = ops.mean(ops.abs(frame - backward_warp(other, flow)), axis=-1, keepdims=True)
    # A pixel whose flow is NaN is not splatted, and it must not affect its neighbors.
    return -ALPHA * window_mean(ops.where(ops.isnan(gap), 1.0, gap))


def _project(frame: Tensor, metric: Tensor, flow: Tensor) -> list[Tensor]:
    """Returns the weighted colors, the weights and the count of pixels at each position."""
    weight = ops.exp(metric)
    landed = splat(join([frame * weight, weight, ops.ones_like(weight)]), flow)
    return split(landed, (3, 1, 1))
