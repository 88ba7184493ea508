"""Frame interpolation by backward warping, along motion estimated at the requested time.

The frame at time t is rendered in four steps:
1. Consistency: each flow is compared with the reverse flow. A pixel whose two flows do not cancel
   is occluded in the other frame.
2. Candidates: the motion at t is estimated in four ways. Each flow is splatted to t along itself,
   where the pixels that best match the colors of the other frame dominate and holes are filled from
   coarser averages; and each flow is used in place, which is as good where motion is uniform.
3. Warping: along each candidate, both frames are warped backward to t, sampled by splines where
   they agree, and blended. Content visible in both frames is blended by time; content visible in
   one frame is taken from that frame.
4. Fusion: the candidates are averaged per pixel by how well their two warped frames agree.
"""

from keras import ops

from tfvfi.images import size
from tfvfi.ops import backward_warp, resize, splat, spline
from tfvfi.ops.channels import join, split
from tfvfi.ops.fusion import Motion, Sources, fuse
from tfvfi.ops.tensor import Tensor

# A pixel counts as occluded where its flows differ by more than this share of their length ...
RELATIVE_DISAGREEMENT = 0.3
# ... plus this many pixels; consistency decreases smoothly around this limit.
PIXELS_OF_DISAGREEMENT = 1.0
# exp(-20 |color difference|): how strongly the best match dominates where several pixels arrive.
MATCH_SHARPNESS = 20.0
# Weight of an occluded pixel: where a consistent pixel arrives too, that one is right.
OCCLUDED = 0.05
# Where a pixel receives less weight than this, there is a hole.
HOLE = 1e-3
# In practice no hole is left after this many halvings, which bridge 64 pixels.
HOLE_LEVELS = 6


def prepare(frame0: Tensor, frame1: Tensor, flow01: Tensor, flow10: Tensor) -> dict[str, Tensor]:
    """Computes consistency and match of every pixel from the flow in both directions."""
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


def render(pair: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
    """Returns the frame at `time`, the flows from it to both frames, and the blend mask."""
    from0 = _project(pair["flow01"], pair["seen01"], pair["match01"], time)
    from1 = _project(-pair["flow10"], pair["seen10"], pair["match10"], time - 1)

    seen, hidden = from0["seen"] + from1["seen"] + HOLE, from0["hidden"] + from1["hidden"]
    weight0 = (1 - time) * seen + from0["hidden"]
    weight1 = time * seen + from1["hidden"]
    mask = weight0 / (weight0 + weight1)

    # For content visible in one frame only, colors are no evidence, and only the flow that carries
    # the content is valid.
    in_both = seen / (seen + hidden)
    motions = [
        Motion(fill_holes(from0["motion"], from0["weight"]), _arrived(from0)),
        Motion(fill_holes(from1["motion"], from1["weight"]), _arrived(from1)),
        Motion(pair["flow01"], in_both),
        Motion(-pair["flow10"], in_both),
    ]
    sources = Sources(*(pair[name] for name in Sources._fields))
    frame, motion = fuse(sources, motions, mask, in_both, time)
    return {
        "frame": ops.clip(frame, 0, 1),
        "flow0": -time * motion,
        "flow1": (1 - time) * motion,
        "mask": mask,
    }


def consistency(flow: Tensor, back: Tensor) -> Tensor:
    """Returns 1 where `flow` and then `back` lead to the start again, and less elsewhere."""
    returned = backward_warp(back, flow)
    gap = ops.sum(ops.square(flow + returned), axis=-1, keepdims=True)
    length = ops.sum(ops.square(flow) + ops.square(returned), axis=-1, keepdims=True)
    allowed = RELATIVE_DISAGREEMENT * length + PIXELS_OF_DISAGREEMENT**2
    return ops.exp(-gap / allowed)


def match(frame: Tensor, other: Tensor, flow: Tensor) -> Tensor:
    """Returns a pixel's weight for splatting: 1 where its colors agree with `other`."""
    difference = ops.abs(frame - backward_warp(other, flow))
    return ops.exp(-MATCH_SHARPNESS * ops.mean(difference, axis=-1, keepdims=True))


def fill_holes(total: Tensor, weight: Tensor) -> Tensor:
    """Returns the weighted mean of splatted values, with holes filled from their surroundings.

    Each level averages 2 x 2 sums of the finer one until no hole is left; values of a finer level
    take precedence over those of a coarser one.
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


def _project(motion: Tensor, seen: Tensor, matched: Tensor, share: Tensor) -> dict[str, Tensor]:
    """Splats pixels along a share of their motion and returns the weighted sums at each position.

    Args:
        motion: The motion from frame0 to frame1, at the pixels of either frame.
        seen: Whether the pixels are visible in both frames.
        matched: Whether their colors match in the other frame.
        share: t for pixels of frame0, t - 1 for those of frame1.
    """
    weight = matched * seen + OCCLUDED
    values = [motion * weight, weight, matched * seen, OCCLUDED * (1 - seen)]
    landed = split(splat(join(values), share * motion), (2, 1, 1, 1))
    return dict(zip(("motion", "weight", "seen", "hidden"), landed, strict=True))


def _arrived(projected: dict[str, Tensor]) -> Tensor:
    """Returns 1 where a pixel arrived, visible or occluded, and 0 in a hole."""
    return ops.minimum(projected["weight"] / OCCLUDED, 1)
