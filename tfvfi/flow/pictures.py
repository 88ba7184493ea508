"""Renders flow in color: the direction as hue and the length as saturation.

The color wheel is Middlebury's (Baker et al., A Database and Evaluation Methodology for Optical
Flow, IJCV 2011): 55 hues, denser where the eye distinguishes them better. No motion is white, the
longest shown is the full hue, longer flow is darker, and unknown flow is black.
"""

from collections.abc import Sequence

import numpy as np

from tfvfi.flow.flo import UNKNOWN

# The numbers of hues between red, yellow, green, cyan, blue, magenta and red again.
HUES_BETWEEN = (15, 6, 4, 11, 13, 6)
CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))
# The factor that darkens flow that is longer than the longest shown.
BEYOND = 0.75
# The percentile of lengths that sets the scale; with the maximum, a few outliers would make the
# rest pale.
SCALE_PERCENTILE = 99.0


def color_wheel() -> np.ndarray:
    """Returns the 55 hues, RGB in [0, 1], from red by way of yellow, green, ... back to red."""
    hues = []
    for at, count in enumerate(HUES_BETWEEN):
        here, there = (
            np.array(CORNERS[at], float),
            np.array(CORNERS[(at + 1) % len(CORNERS)], float),
        )
        hues += [here + (there - here) * step / count for step in range(count)]
    # The published values are whole steps of 255.
    return np.floor(255 * np.array(hues)) / 255


def flow_to_color(flow: np.ndarray, longest: float | None = None) -> np.ndarray:
    """Renders flow as a picture.

    Args:
        flow: H x W x 2, in pixels.
        longest: The length that gets the full hue; by default that of the flow itself.

    Returns:
        H x W x 3, uint8, RGB.

    Example:
        >>> import numpy as np
        >>> flow_to_color(np.array([[[3, 0], [0, 0]]], "float32"), longest=3).tolist()
        [[[255, 0, 0], [255, 255, 255]]]
    """
    known = known_pixels(flow)
    flow = np.where(known[..., None], flow, 0.0).astype(np.float64)
    longest = longest_shown([flow]) if longest is None else longest
    length = np.hypot(flow[..., 0], flow[..., 1]) / longest
    # The angle is from -1 to 1; the wheel begins at the right.
    angle = np.arctan2(-flow[..., 1], -flow[..., 0]) / np.pi
    wheel = color_wheel()
    place = (angle + 1) / 2 * (len(wheel) - 1)
    low = np.floor(place).astype(int)
    share = (place - low)[..., None]
    hue = (1 - share) * wheel[low] + share * wheel[(low + 1) % len(wheel)]
    length = length[..., None]
    color = np.where(length <= 1, 1 - length * (1 - hue), BEYOND * hue)
    return np.floor(255 * color * known[..., None] + 1e-9).astype(np.uint8)


def longest_shown(flows: Sequence[np.ndarray]) -> float:
    """Returns the length that gets the full hue when these flows are shown together."""
    lengths = [np.linalg.norm(flow[known_pixels(flow)], axis=-1) for flow in flows]
    present = [np.percentile(length, SCALE_PERCENTILE) for length in lengths if length.size]
    return float(max(present, default=0.0)) or 1.0


def known_pixels(flow: np.ndarray) -> np.ndarray:
    """Returns a mask, H x W, of pixels whose flow is a number and not marked as unknown."""
    with np.errstate(invalid="ignore"):
        return (np.abs(flow) < UNKNOWN).all(axis=-1)


def legend(longest: float, side: int = 151) -> np.ndarray:
    """Renders the color wheel as a legend, with the length at its rim written below.

    Args:
        longest: The length at the rim, in pixels.
        side: The width of the picture, which is higher by a line of text.
    """
    import cv2

    radius = (side - 1) / 2
    y, x = (np.mgrid[:side, :side] - radius) / radius
    rim = np.hypot(x, y) <= 1
    wheel = flow_to_color(np.stack([x, y], axis=-1), longest=1.0)
    wheel[~rim] = 255
    middle = int(radius)
    wheel[middle, rim[middle]] = wheel[rim[:, middle], middle] = 0
    size = side / 400
    strip = np.full((max(12, side // 6), side, 3), 255, np.uint8)
    text = f"{longest:.3g} px"
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    corner = ((side - width) // 2, (len(strip) + height) // 2)
    cv2.putText(strip, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([wheel, strip])


def with_legend(picture: np.ndarray, longest: float) -> np.ndarray:
    """Returns a picture of flow with the legend to its right."""
    height, width = picture.shape[:2]
    side = max(31, min(151, height * 4 // 5, width // 2))
    wheel = legend(longest, side)
    tall = max(height, len(wheel))
    column = np.full((tall, side + 8, 3), 255, np.uint8)
    column[: len(wheel), 4 : 4 + side] = wheel
    below = np.full((tall - height, width, 3), 255, np.uint8)
    return np.concatenate([np.concatenate([picture, below]), column], axis=1)


def statistics(flow: np.ndarray) -> dict[str, float]:
    """Returns statistics of flow: its mean, its lengths in pixels, and the share that is known."""
    known = known_pixels(flow)
    vectors = flow[known].astype(np.float64)
    if not len(vectors):
        vectors = np.full((1, 2), np.nan)
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    return {
        "mean_x": float(vectors[:, 0].mean()),
        "mean_y": float(vectors[:, 1].mean()),
        "mean_length": float(lengths.mean()),
        "median_length": float(np.median(lengths)),
        "p95_length": float(np.percentile(lengths, 95)),
        "max_length": float(lengths.max()),
        "known": float(known.mean()),
    }
