"""Augmentation: what is done to a patch before it is learned from, and how it is named.

A training recipe lists steps as plain data, `(name, setting)`, applied in that order:

    (("enlarge_twice", 0.1), ("crop", 1.0), ("flip_horizontally", 0.5), ("gamma", 0.1))

For these the setting is a probability: enlarge_twice, crop, reverse_channels, shuffle_channels,
flip_vertically, flip_horizontally, transpose, reverse_time. For the others it is how far the step
may go, drawn uniformly and always applied:

    translate      share of the sides by which the first frame moves one way and the last the other
    rotate         (degrees of all frames together, degrees between the first and the last)
    scaled_crop    least share of the largest crop; what is cut is resized
    gamma          the exponent is 1 / g, g in 1 +- it
    gain           each channel is multiplied by 1 +- it
    contrast       the distance from the mean gray is multiplied by 1 +- it
    saturation     the distance of each pixel from its gray is multiplied by 1 +- it

A step is a pure function of the patch and of the random generator it is given. Frames and flow
move together: after any step the flow still leads from a pixel of its frame to the same content.
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
    """Frames in order of time, of one size.

    Attributes:
        frames: height x width x 3 each, 0 to 255, uint8, or float32 after a photometric step.
        moments: When each frame is: 0 for the first, 1 for the last.
        time: What the batch tells as its time.
        flow: None; of three frames (height, width, 4), from the middle one to the first (x, y)
            and to the last; of two (height, width, 2), from the first to the second.
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
        """The frame that the flow starts from."""
        return 1 if len(self.frames) == 3 else 0

    @property
    def ends(self) -> tuple[int, ...]:
        """The frames that the flow leads to."""
        return (0, 2) if len(self.frames) == 3 else (1,)

    def map(self, change: Callable, flow: Callable | None = None) -> "Patch":
        """The patch with every frame changed, and its flow likewise unless told otherwise."""
        changed = self.flow if self.flow is None else (flow or change)(self.flow)
        return replace(self, frames=tuple(change(frame) for frame in self.frames), flow=changed)


class Augmentation:
    """Steps in order, ending in patches of one size.

    Args:
        steps: Names and settings, see the top of this file. Without a step that crops, cropping
            comes first, or after enlarging.
        size: Height and width that come out.

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
        """The augmented patch."""
        for name, setting in self.steps:
            if name in SOMETIMES:
                if random.random() < setting:
                    patch = SOMETIMES[name](patch, random, self.size)
            else:
                patch = ALWAYS[name](patch, random, self.size, setting)
        return patch

    def without(self, name: str) -> "Augmentation":
        """The same without a step."""
        return Augmentation([step for step in self.steps if step[0] != name], self.size)


def enlarge_twice(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Twice as high and wide, bilinearly; motion is twice as long."""
    return patch.map(_twice, lambda flow: 2 * _twice(flow))


def crop(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """A window of that size, anywhere."""
    top, left = (
        int(random.integers(have - wanted + 1))
        for have, wanted in zip(patch.size, size, strict=True)
    )
    return patch.map(lambda image: image[top : top + size[0], left : left + size[1]])


def scaled_crop(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], least: float
) -> Patch:
    """A window of the wanted proportions, from `least` to 1 of what fits, resized."""
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
    """Red becomes blue."""
    return patch.map(lambda image: image[..., ::-1], _same)


def shuffle_channels(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Any order of the colors."""
    order = random.permutation(3)
    return patch.map(lambda image: image[..., order], _same)


def flip_vertically(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Upside down."""
    return patch.map(lambda image: image[::-1], lambda flow: _negated(flow[::-1], 1))


def flip_horizontally(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Left to right."""
    return patch.map(lambda image: image[:, ::-1], lambda flow: _negated(flow[:, ::-1], 0))


def transpose(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """Rows become columns."""

    def exchanged(flow: np.ndarray) -> np.ndarray:
        order = [1, 0, 3, 2][: flow.shape[-1]]
        return flow.swapaxes(0, 1)[..., order]

    return patch.map(lambda image: image.swapaxes(0, 1), exchanged)


def reverse_time(patch: Patch, random: np.random.Generator, size: tuple[int, int]) -> Patch:
    """The last frame comes first; the flow to the first is then that to the last."""
    return Patch(
        patch.frames[::-1],
        tuple(1 - moment for moment in patch.moments[::-1]),
        None if patch.time is None else 1 - patch.time,
        None if patch.flow is None else patch.flow[..., [2, 3, 0, 1]],
    )


def translate(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], share: float
) -> Patch:
    """Adds motion: the first frame moves one way, the last the other, those between linearly."""
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
    """Turns all frames about the center, and adds a turn between the first and the last."""
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
    """Changes the brightness of each color."""
    gains = 1 + random.uniform(-reach, reach, 3).astype(np.float32)
    return patch.map(lambda frame: photometry.gain(frame, gains), _same)


def contrast(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float
) -> Patch:
    """Moves all pixels from or towards the frame's mean gray."""
    factor = random.uniform(1 - reach, 1 + reach)
    return patch.map(lambda frame: photometry.contrast(frame, factor), _same)


def saturation(
    patch: Patch, random: np.random.Generator, size: tuple[int, int], reach: float
) -> Patch:
    """Moves each pixel from or towards its gray."""
    factor = random.uniform(1 - reach, 1 + reach)
    return patch.map(lambda frame: photometry.saturation(frame, factor), _same)


# Applied with the probability that is their setting.
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
# Applied always, as far as their setting allows.
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
    """Moves each frame by its own affine map; what comes in from outside is mirrored.

    The flow is moved as its frame is, and turned into what leads from there to where the content
    has gone in the others.
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
    """Flow whose x (axis 0) or y (axis 1) points the other way."""
    signs = np.ones(flow.shape[-1], np.float32)
    signs[axis::2] = -1
    return flow * signs


def _same(flow: np.ndarray) -> np.ndarray:
    return flow
