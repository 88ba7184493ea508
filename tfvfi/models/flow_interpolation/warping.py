"""Frames by warping both frames backwards along motion guessed at their time.

The algorithm in four steps, for the frame at time t:
1. flow in both directions, and how far they agree (forward-backward consistency): a pixel whose
   two flows do not cancel is occluded in the other frame;
2. the motion at t is guessed in four ways: each flow splatted to t along itself (where several
   pixels land, those that match the colors of the other frame win; holes are filled from coarser
   averages), and each flow as it stands, which is as good where motion is even;
3. along each guess both frames are warped backwards to t, read as splines where they agree, and
   blended: content seen in both frames mixes by time, content seen in one comes from that one;
4. the guesses are averaged by how well their two warped frames agree, pixel by pixel.
"""

from typing import Any

from keras import ops

from tfvfi.images import size
from tfvfi.ops import backward_warp, resize, splat, spline

# A pixel counts as occluded when its flows differ by more than this share of their length ...
RELATIVE_DISAGREEMENT = 0.3
# ... plus this many pixels; consistency falls off smoothly around it.
PIXELS_OF_DISAGREEMENT = 1.0
# exp(-20 |color difference|): how strongly the better match wins when several pixels land in one.
MATCH_SHARPNESS = 20.0
# exp(-50 |difference of the warped frames|), over windows of 5 x 5: how strongly the better of
# the guesses wins.
GUESS_SHARPNESS, GUESS_WINDOW = 50.0, 5
# Where the warped frames differ by this much, they are read bilinearly instead of as splines.
DOUBTFUL = 0.05
# Weight of an occluded pixel beside consistent ones: where both land, the consistent one is right.
OCCLUDED = 0.05
# A pixel that collects less weight than this is a hole.
HOLE = 1e-3
# Halvings after which no hole is left in practice: 64 pixels.
HOLE_LEVELS = 6


def prepare(frame0: Any, frame1: Any, flow01: Any, flow10: Any) -> dict[str, Any]:
    """Flow in both directions, with consistency and match of every pixel."""
    return {
        "frame0": frame0,
        "frame1": frame1,
        "spline0": spline.coefficients(frame0),
        "spline1": spline.coefficients(frame1),
        "flow01": flow01,
        "flow10": flow10,
        "seen01": consistency(flow01, flow10),
        "seen10": consistency(flow10, flow01),
        "match01": match(frame0, frame1, flow01),
        "match10": match(frame1, frame0, flow10),
    }


def render(pair: dict[str, Any], time: Any) -> dict[str, Any]:
    """The frame at `time`, the flows from there to both frames, and the blend weight."""
    from0 = _project(pair["flow01"], pair["seen01"], pair["match01"], time)
    from1 = _project(-pair["flow10"], pair["seen10"], pair["match10"], time - 1)

    seen, hidden = from0["seen"] + from1["seen"] + HOLE, from0["hidden"] + from1["hidden"]
    weight0 = (1 - time) * seen + from0["hidden"]
    weight1 = time * seen + from1["hidden"]
    mask = weight0 / (weight0 + weight1)

    # Where content is in one frame only, colors tell nothing and only the flow that brings
    # it knows its motion.
    in_both = seen / (seen + hidden)
    guesses = [
        (fill_holes(from0["motion"], from0["weight"]), _arrived(from0)),
        (fill_holes(from1["motion"], from1["weight"]), _arrived(from1)),
        (pair["flow01"], in_both),
        (-pair["flow10"], in_both),
    ]
    painted = [_paint(pair, motion, mask, time) for motion, _ in guesses]
    trust = [
        ops.log(known + HOLE) - GUESS_SHARPNESS * around(in_both * gap)
        for (_, known), (_, gap) in zip(guesses, painted, strict=True)
    ]
    trust = ops.softmax(ops.concatenate(trust, axis=-1))
    shares = ops.split(trust, len(guesses), axis=-1)
    frame = sum(share * frame for share, (frame, _) in zip(shares, painted, strict=True))
    motion = sum(share * motion for share, (motion, _) in zip(shares, guesses, strict=True))
    return {
        "frame": ops.clip(frame, 0, 1),
        "flow0": -time * motion,
        "flow1": (1 - time) * motion,
        "mask": mask,
    }


def consistency(flow: Any, back: Any) -> Any:
    """1 where following `flow` and then `back` leads home, towards 0 where it does not."""
    returned = backward_warp(back, flow)
    gap = ops.sum(ops.square(flow + returned), axis=-1, keepdims=True)
    length = ops.sum(ops.square(flow) + ops.square(returned), axis=-1, keepdims=True)
    allowed = RELATIVE_DISAGREEMENT * length + PIXELS_OF_DISAGREEMENT**2
    return ops.exp(-gap / allowed)


def match(frame: Any, other: Any, flow: Any) -> Any:
    """Weight of a pixel when several land in one place: 1 where its colors agree with `other`."""
    difference = ops.abs(frame - backward_warp(other, flow))
    return ops.exp(-MATCH_SHARPNESS * ops.mean(difference, axis=-1, keepdims=True))


def fill_holes(total: Any, weight: Any) -> Any:
    """Weighted mean of splatted values, where nothing landed the mean of the surroundings.

    Each level averages 2 x 2 sums of the finer one, until something is there; what the finer level
    knows hides what the coarser one guesses.
    """
    levels = [(total, weight)]
    for _ in range(HOLE_LEVELS):
        half = tuple((side + 1) // 2 for side in size(levels[-1][0]))
        levels.append(tuple(4 * resize(part, half) for part in levels[-1]))
    total, weight = levels[-1]
    filled = total / (weight + 1e-12)
    for total, weight in reversed(levels[:-1]):
        guess = resize(filled, size(total))
        filled = (total + HOLE * guess) / (weight + HOLE)
    return filled


def _project(motion: Any, seen: Any, matched: Any, share: Any) -> dict[str, Any]:
    """Weighted sums of what lands where when pixels follow a share of their motion.

    Args:
        motion: From frame0 to frame1, at the pixels of either.
        seen: Whether they are in both frames.
        matched: Whether their colors are found there.
        share: t for pixels of frame0, t - 1 for those of frame1.
    """
    weight = matched * seen + OCCLUDED
    values = [motion * weight, weight, matched * seen, OCCLUDED * (1 - seen)]
    landed = splat(ops.concatenate(values, axis=-1), share * motion)
    return {
        "motion": landed[..., :2],
        "weight": landed[..., 2:3],
        "seen": landed[..., 3:4],
        "hidden": landed[..., 4:5],
    }


def _arrived(projected: dict[str, Any]) -> Any:
    """1 where a pixel landed, seen or occluded; 0 in a hole."""
    return ops.minimum(projected["weight"] / OCCLUDED, 1)


def _paint(pair: dict[str, Any], motion: Any, mask: Any, time: Any) -> tuple[Any, Any]:
    """The frame that a motion at t gives, and how far its two sources differ."""
    flow0, flow1 = -time * motion, (1 - time) * motion
    sharp0, soft0 = spline.read(pair["spline0"], pair["frame0"], flow0)
    sharp1, soft1 = spline.read(pair["spline1"], pair["frame1"], flow1)
    gap = ops.mean(ops.abs(sharp0 - sharp1), axis=-1, keepdims=True)
    # Detail in the wrong place is worse than none.
    softness = ops.minimum(ops.square(around(gap) / DOUBTFUL), 1)
    sharp = mask * sharp0 + (1 - mask) * sharp1
    soft = mask * soft0 + (1 - mask) * soft1
    return sharp + softness * (soft - sharp), gap


def around(values: Any) -> Any:
    """Means over the window around each pixel."""
    return ops.average_pool(values, GUESS_WINDOW, strides=1, padding="same")
