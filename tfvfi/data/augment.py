"""Augmentation: named random changes to training patches.

A training recipe lists steps as plain data, `(name, setting)`, applied in that order:

    (("enlarge_twice", 0.1), ("crop", 1.0), ("flip_horizontally", 0.5), ("gamma", 0.1))

For these steps the setting is a probability: enlarge_twice, crop, reverse_channels,
shuffle_channels, flip_vertically, flip_horizontally, transpose, reverse_time. The other steps are
always applied; their setting s limits a random amount that is drawn uniformly:

    translate      the first frame moves by up to s times the sides, the last the opposite way
    rotate         s is a pair: degrees of all frames, degrees between the first and the last
    scaled_crop    the crop has a share from s to 1 of the largest side that fits, and is resized
    gamma          the exponent is 1 / g, with g in 1 +- s
    gain           each channel is multiplied by 1 +- s
    contrast       the distance from the mean gray is multiplied by 1 +- s
    saturation     the distance of each pixel from its gray is multiplied by 1 +- s

A step is a pure function of the patch and of the random generator. Frames and flow are transformed
together: after any step the flow still leads from a pixel to the same content in the other frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from tfvfi.data import photometry
from tfvfi.errors import InputError

Step = tuple[str, Any]


@dataclass(frozen=True)
class Patch:
    """Frames of one size, in order of time.

    Attributes:
        frames: Frames of height x width x 3, 0 to 255, uint8, or float32 after a photometric step.
        moments: The time of each frame: 0 for the first, 1 for the last.
        time: The value of `time` in the batch.
        flow: For three frames (height, width, 4), x and y from the middle one to the first, then
            to the last; for two frames (height, width, 2), from the first to the second; or None.
    """

    frames: tuple[np.ndarray, ...]
    moments: tuple[float, ...]
    time: float | None = None
    flow: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.frames[0].shape[:2]

    @property
    def origin(self) -> int:
        """The number of the frame from which the flow starts."""
        return 1 if len(self.frames) == 3 else 0

    @property
    def ends(self) -> tuple[int, ...]:
        """The numbers of the frames to which the flow leads."""
        return (0, 2) if len(self.frames) == 3 else (1,)

    def map(self, change: Callable, flow: Callable | None = None) -> "Patch":
        """Returns the patch with `change` applied to every frame, and `flow`, if given, to flow.

        Args:
            change: Changes a frame; without `flow`, also the flow.
            flow: Changes the flow.
        """
        changed = self.flow if self.flow is None else (flow or change)(self.flow)
        return replace(self, frames=tuple(change(frame) for frame in self.frames), flow=changed)


class Augmentation:
    """Applies steps in order; the resulting patches have one size.

    Args:
        steps: Names and settings, see the top of this module. If no step crops, cropping comes
            first, or right after "enlarge_twice".
        size: The height and width of the resulting patches.

    Raises:
        InputError: A step is unknown, or its setting does not suit it.

    Example:
        >>> import numpy as np
        >>> patch = Patch((np.zeros((8, 8, 3), "uint8"),) * 2, (0.0, 1.0))
        >>> flip_or_not = Augmentation((("flip_vertically", 0.5),), size=(6, 6))
        >>> flip_or_not(patch, np.random.default_rng(0)).size
        (6, 6)
    """

    def __init__(self, steps: Sequence[Step], size: tuple[int, int]):
        self.size = size
        steps = [_checked(step) for step in steps]
        names = [name for name, _ in steps]
        if not {"crop", "scaled_crop"} & set(names):
            place = names.index("enlarge_twice") + 1 if "enlarge_twice" in names else 0
            steps.insert(place, ("crop", 1.0))
        if "transpose" in names and size[0] != size[1]:
            raise InputError(
                f"the augmentation 'transpose' needs square patches; they are {size[1]}x{size[0]}, "
                "so give a crop_size, or leave it out"
            )
        self.steps = tuple(steps)

    def __call__(self, patch: Patch, random: np.random.Generator) -> Patch:
        """Returns the augmented patch."""
        for name, setting in self.steps:
            if name in SOMETIMES:
                if random.random() < setting:
                    patch = SOMETIMES[name](patch, random, self.size)
            else:
                patch = ALWAYS[name](patch, random, self.size, setting)
        return patch

    def without(self, name: str) -> "Augmentation":
        """Returns the same augmentation without a step."""
        return Augmentation([step for step in self.steps if step[0] != name], self.size)


def enlarge_twice(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Doubles height and width by bilinear resizing, which doubles the motion."""
    return patch.map(_twice, lambda flow: 2 * _twice(flow))


def crop(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Crops the patch to the size at a random position."""
    top, left = (
        int(random.integers(have - wanted + 1))
        for have, wanted in zip(patch.size, size, strict=True)
    )
    return patch.map(lambda image: image[top : top + size[0], left : left + size[1]])


def scaled_crop(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], least: float
) -> Patch:
    """Crops a window of the size's proportions, `least` to 1 of what fits, and resizes it."""
    fits = min(have / wanted for have, wanted in zip(patch.size, size, strict=True))
    share = fits * random.uniform(least, 1)
    window = [max(1, round(wanted * share)) for wanted in size]
    patch = crop(patch, random, (window[0], window[1]))
    height, width = (wanted / have for wanted, have in zip(size, window, strict=True))

    def resized(image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)

    factors = np.tile(np.float32([width, height]), 2)
    return patch.map(resized, lambda flow: resized(flow) * factors[: flow.shape[-1]])


def reverse_channels(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Exchanges red and blue."""
    return patch.map(lambda image: image[..., ::-1], _same)


def shuffle_channels(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Puts the color channels into a random order."""
    order = random.permutation(3)
    return patch.map(lambda image: image[..., order], _same)


def flip_vertically(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Turns the patch upside down."""
    return patch.map(lambda image: image[::-1], lambda flow: _negated(flow[::-1], 1))


def flip_horizontally(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Mirrors the patch left to right."""
    return patch.map(lambda image: image[:, ::-1], lambda flow: _negated(flow[:, ::-1], 0))


def transpose(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Exchanges rows and columns."""

    def exchanged(flow: np.ndarray) -> np.ndarray:
        order = [1, 0, 3, 2][: flow.shape[-1]]
        return flow.swapaxes(0, 1)[..., order]

    return patch.map(lambda image: image.swapaxes(0, 1), exchanged)


def reverse_time(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Reverses the order of the frames, and exchanges the flow to the first and to the last."""
    return Patch(
        patch.frames[::-1],
        tuple(1 - moment for moment in patch.moments[::-1]),
        None if patch.time is None else 1 - patch.time,
        None if patch.flow is None else patch.flow[..., [2, 3, 0, 1]],
    )


def translate(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], share: float
) -> Patch:
    """Adds motion: the first and last frame move in opposite ways, those between linearly."""
    height, width = patch.size
    reach = np.array([share * width, share * height])
    shift = np.round(random.uniform(-reach, reach))
    moves = []
    for moment in patch.moments:
        move = np.eye(2, 3)
        move[:, 2] = np.round(shift * (1 - 2 * moment))
        moves.append(move)
    return _moved(patch, moves, cv2.INTER_NEAREST)


def rotate(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], degrees: tuple[float, float]
) -> Patch:
    """Rotates all frames about the center, and adds a rotation from the first to the last."""
    base = random.uniform(-degrees[0], degrees[0])
    extra = random.uniform(-degrees[1], degrees[1]) / 2
    center = ((patch.size[1] - 1) / 2, (patch.size[0] - 1) / 2)
    moves = [
        cv2.getRotationMatrix2D(center, base + extra * (2 * moment - 1), 1)
        for moment in patch.moments
    ]
    return _moved(patch, moves, cv2.INTER_LINEAR)


def gamma(patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float) -> Patch:
    """Brightens or darkens the middle tones."""
    g = random.uniform(1 - reach, 1 + reach)
    return patch.map(lambda frame: photometry.gamma(frame, g), _same)


def gain(patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float) -> Patch:
    """Changes the brightness of each channel."""
    gains = 1 + random.uniform(-reach, reach, 3).astype(np.float32)
    return patch.map(lambda frame: photometry.gain(frame, gains), _same)


def contrast(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float
) -> Patch:
    """Moves all pixels away from or towards the frame's mean gray."""
    factor = random.uniform(1 - reach, 1 + reach)
    return patch.map(lambda frame: photometry.contrast(frame, factor), _same)


def saturation(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float
) -> Patch:
    """Moves each pixel away from or towards its gray."""
    factor = random.uniform(1 - reach, 1 + reach)
    return patch.map(lambda frame: photometry.saturation(frame, factor), _same)


# Steps whose setting is the probability with which they are applied.
SOMETIMES: dict[str, Callable] = {
    step.__name__: step
    for step in (
        enlarge_twice,
        crop,
        reverse_channels,
        shuffle_channels,
        flip_vertically,
        flip_horizontally,
        transpose,
        reverse_time,
    )
}
# Steps that are always applied, by a random amount that their setting limits.
ALWAYS: dict[str, Callable] = {
    step.__name__: step
    for step in (translate, rotate, scaled_crop, gamma, gain, contrast, saturation)
}


def _checked(step: Step) -> Step:
    known = (*SOMETIMES, *ALWAYS)
    try:
        name, setting = step
    except (TypeError, ValueError):
        raise InputError(f"an augmentation is (name, setting). Received: {step!r}") from None
    if name not in known:
        raise InputError(f"there is no augmentation '{name}'; the names are: {', '.join(known)}")
    if name == "crop" and setting != 1:
        raise InputError(f"patches are always cropped to one size: ('crop', 1). Received: {step!r}")
    settings = np.atleast_1d(setting) if np.ndim(setting) < 2 else np.array([np.nan])
    wanted = 2 if name == "rotate" else 1
    largest = 180 if name == "rotate" else 1
    if settings.size != wanted or settings.dtype.kind not in "if":
        raise InputError(f"the augmentation '{name}' takes {wanted} numbers. Received: {setting!r}")
    if not np.all((settings >= 0) & (settings <= largest)):
        raise InputError(f"'{name}' takes a setting from 0 to {largest}. Received: {setting!r}")
    return name, setting


def _moved(patch: Patch, moves: Sequence[np.ndarray], interpolation: int) -> Patch:
    """Warps each frame by its own affine map; pixels from outside the frame are mirrored.

    The flow is warped like the frame from which it starts, and adjusted to lead to the new
    positions of the content in the other frames.
    """
    height, width = patch.size

    def moved(image: np.ndarray, move: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(
            image, move, (width, height), flags=interpolation, borderMode=cv2.BORDER_REFLECT_101
        )

    frames = tuple(moved(frame, move) for frame, move in zip(patch.frames, moves, strict=True))
    if patch.flow is None:
        return replace(patch, frames=frames)
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    flow = moved(patch.flow, moves[patch.origin])
    before = _applied(cv2.invertAffineTransform(moves[patch.origin]), here)
    flows = [
        _applied(moves[end], before + flow[..., 2 * number : 2 * number + 2]) - here
        for number, end in enumerate(patch.ends)
    ]
    return replace(patch, frames=frames, flow=np.concatenate(flows, -1))


def _applied(move: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (points @ move[:, :2].T + move[:, 2]).astype(np.float32)


def _twice(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)


def _negated(flow: np.ndarray, axis: int) -> np.ndarray:
    """Returns flow whose x (axis 0) or y (axis 1) is negated."""
    signs = np.ones(flow.shape[-1], np.float32)
    signs[axis::2] = -1
    return flow * signs


def _same(flow: np.ndarray) -> np.ndarray:
    return flow
