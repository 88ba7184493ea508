"""Frames from optical flow, without learning to paint.

The algorithm in four steps, for the frame at time t:
1. flow in both directions, and how far they agree (forward-backward consistency): a pixel whose
   two flows do not cancel is occluded in the other frame;
2. both flows are splatted to time t along themselves; where several land, the one that matches
   the colours of the other frame wins; holes are filled from coarser and coarser averages;
3. both frames are warped backwards to t along the projected flow;
4. blend: content seen in both frames mixes by time; content seen in one comes from that one.
"""

from typing import Any

from keras import ops

from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator, Interpolator
from tfvfi.models.images import size
from tfvfi.ops import backward_warp, resize, splat

# A pixel counts as occluded when its flows differ by more than this share of their length ...
RELATIVE_DISAGREEMENT = 0.05
# ... plus this many pixels; consistency falls off smoothly around it.
PIXELS_OF_DISAGREEMENT = 0.5
# exp(-20 |colour difference|): how strongly the better match wins when several pixels land in one.
MATCH_SHARPNESS = 20.0
# A pixel that collects less weight than this is a hole.
HOLE = 1e-3


class FlowInterpolation(Interpolator):
    """Two-directional, occlusion-aware interpolation from any optical flow, at any time.

    Args:
        flow: A loaded flow estimator, or the name of one: "dis", "pwcnet", "flownet2", ...

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("flow_interpolation", flow="dis")
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> moved = np.roll(frame, 4, axis=1)
        >>> model.interpolate(frame, moved, times=(0.5,))[0].shape
        (48, 64, 3)
    """

    def __init__(self, flow: str | FlowEstimator = "dis", **kwargs: Any):
        estimator = _estimator(flow)
        self.traceable = estimator.traceable
        super().__init__(**kwargs)
        self.flow = flow
        self.estimator = estimator

    def get_config(self) -> dict[str, Any]:
        """The arguments that build this network again."""
        name = self.flow if isinstance(self.flow, str) else self.flow.name
        return {**super().get_config(), "flow": name}

    def prepare(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """Flow in both directions, with consistency and match of every pixel."""
        flow01 = self.estimator.flow_at_any_size(frame0, frame1)
        flow10 = self.estimator.flow_at_any_size(frame1, frame0)
        return {
            "frame0": frame0,
            "frame1": frame1,
            "flow01": flow01,
            "flow10": flow10,
            "seen01": consistency(flow01, flow10),
            "seen10": consistency(flow10, flow01),
            "match01": match(frame0, frame1, flow01),
            "match10": match(frame1, frame0, flow10),
        }

    def render(self, prepared: dict[str, Any], time: Any) -> dict[str, Any]:
        """The frame at `time`, the flows from there to both frames, and the blend weight."""
        time = ops.reshape(time, (-1, 1, 1, 1))
        pair = prepared
        from0 = _project(pair["flow01"], pair["seen01"], pair["match01"], time)
        from1 = _project(pair["flow10"], pair["seen10"], pair["match10"], 1 - time)

        motion = fill_holes(from0["flow"] - from1["flow"], from0["weight"] + from1["weight"])
        flow_t0, flow_t1 = -time * motion, (1 - time) * motion
        warped0 = backward_warp(pair["frame0"], flow_t0)
        warped1 = backward_warp(pair["frame1"], flow_t1)

        in_both = from0["seen"] + from1["seen"] + HOLE
        weight0 = (1 - time) * in_both + from0["hidden"]
        weight1 = time * in_both + from1["hidden"]
        mask = weight0 / (weight0 + weight1)
        frame = ops.clip(mask * warped0 + (1 - mask) * warped1, 0, 1)
        return {"frame": frame, "flow0": flow_t0, "flow1": flow_t1, "mask": mask}


def consistency(flow: Any, back: Any) -> Any:
    """1 where following `flow` and then `back` leads home, towards 0 where it does not."""
    returned = backward_warp(back, flow)
    gap = ops.sum(ops.square(flow + returned), axis=-1, keepdims=True)
    length = ops.sum(ops.square(flow) + ops.square(returned), axis=-1, keepdims=True)
    allowed = RELATIVE_DISAGREEMENT * length + PIXELS_OF_DISAGREEMENT**2
    return ops.exp(-gap / allowed)


def match(frame: Any, other: Any, flow: Any) -> Any:
    """Weight of a pixel when several land in one place: 1 where its colours agree with `other`."""
    difference = ops.abs(frame - backward_warp(other, flow))
    return ops.exp(-MATCH_SHARPNESS * ops.mean(difference, axis=-1, keepdims=True))


def fill_holes(total: Any, weight: Any) -> Any:
    """Weighted mean of splatted values, where nothing landed the mean of the surroundings.

    Each level averages 2 x 2 sums of the finer one, until something is there; what the finer level
    knows hides what the coarser one guesses.
    """
    height, width = size(total)
    levels = [(total, weight)]
    for _ in range(6):
        half = tuple((side + 1) // 2 for side in size(levels[-1][0]))
        levels.append(tuple(4 * resize(part, half) for part in levels[-1]))
    total, weight = levels[-1]
    filled = total / (weight + 1e-12)
    for total, weight in reversed(levels[:-1]):
        guess = resize(filled, size(total))
        filled = (total + HOLE * guess) / (weight + HOLE)
    return filled


def _project(flow: Any, seen: Any, matched: Any, time: Any) -> dict[str, Any]:
    """Sums, at `time` along the flow, of flow and weights of the pixels that land there."""
    # Occluded pixels follow a guessed flow: where a consistent one lands too, that one is right.
    weight = matched * (seen + HOLE)
    values = [flow * weight, weight, matched * seen, matched * (1 - seen)]
    landed = splat(ops.concatenate(values, axis=-1), time * flow)
    return {
        "flow": landed[..., :2],
        "weight": landed[..., 2:3],
        "seen": landed[..., 3:4],
        "hidden": landed[..., 4:5],
    }


def _estimator(flow: str | FlowEstimator) -> FlowEstimator:
    if isinstance(flow, FlowEstimator):
        return flow
    if flow == "dis":
        from tfvfi.models.flow_interpolation.dis import DIS

        return DIS(name="dis")
    from tfvfi import registry

    estimators = [name for name, known in registry.presets().items() if known.kind == "flow"]
    if flow not in estimators:
        names = ", ".join(["dis", *estimators])
        raise InputError(f"'{flow}' is no flow estimator; there are: {names}")
    return registry.load(flow)
