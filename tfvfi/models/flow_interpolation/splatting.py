"""Frames by splatting both frames forward along their flows: no network paints.

1. a pixel's weight is exp(Z), Z = -ALPHA |frame - the other frame, warped along its flow|: how
   well the two agree on its brightness (Niklaus and Liu, CVPR 2020), averaged over its
   neighbors so that noise does not choose;
2. both frames are splatted to t, along their shares of the flow, and merged: every pixel that
   lands counts by its weight, and by how near its frame is in time;
3. so holes that one frame leaves are filled by the other. Where neither arrives, which the sum of
   the splatted pixels tells and not their color, both frames are blended as they stand.
"""

from typing import Any

from keras import ops

from tfvfi.models.flow_interpolation.warping import around
from tfvfi.ops import backward_warp, splat

# How strongly the better match wins when several pixels land in one.
ALPHA = 20.0
# A place that collects less of a pixel than this is a hole.
HOLE = 1e-3


def prepare(frame0: Any, frame1: Any, flow01: Any, flow10: Any) -> dict[str, Any]:
    """Flow in both directions, with the metric of every pixel."""
    return {
        "frame0": frame0,
        "frame1": frame1,
        "flow01": flow01,
        "flow10": flow10,
        "metric0": brightness_constancy(frame0, frame1, flow01),
        "metric1": brightness_constancy(frame1, frame0, flow10),
    }


def render(pair: dict[str, Any], time: Any) -> dict[str, Any]:
    """The frame at `time`, and how much of each frame's pixels arrived in each place."""
    from0 = _project(pair["frame0"], pair["metric0"], pair["flow01"] * time)
    from1 = _project(pair["frame1"], pair["metric1"], pair["flow10"] * (1 - time))
    colors, weight, count = ((1 - time) * a + time * b for a, b in zip(from0, from1, strict=True))
    parents = (1 - time) * pair["frame0"] + time * pair["frame1"]
    hole = count < HOLE
    frame = ops.where(hole, parents, colors / ops.where(hole, 1.0, weight))
    return {"frame": frame, "arrived0": from0[-1], "arrived1": from1[-1]}


def brightness_constancy(frame: Any, other: Any, flow: Any) -> Any:
    """The metric Z of every pixel: 0 where the other frame looks the same along the flow."""
    gap = ops.mean(ops.abs(frame - backward_warp(other, flow)), axis=-1, keepdims=True)
    # A flow that is NaN leads nowhere: its pixel is splatted nowhere, and must not hurt others.
    return -ALPHA * around(ops.where(ops.isnan(gap), 1.0, gap))


def _project(frame: Any, metric: Any, flow: Any) -> tuple[Any, Any, Any]:
    """Weighted colors, weights, and plain numbers of the pixels that land in each place."""
    weight = ops.exp(metric)
    landed = splat(ops.concatenate([frame * weight, weight, ops.ones_like(weight)], axis=-1), flow)
    return landed[..., :3], landed[..., 3:4], landed[..., 4:]
