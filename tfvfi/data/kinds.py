"""Kinds of batches: which frames of a window a sample takes, and what they are called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfvfi.data.augment import Patch
from tfvfi.data.records import Layout
from tfvfi.data.sampling import Picked, Sampling
from tfvfi.data.sources import Window
from tfvfi.errors import InputError

# As cycle consistency is published: three frames in a row, eighths between them.
CYCLE_SAMPLING = Sampling(num_interp=7, sample_rate=0, step_size=1)


@dataclass(frozen=True)
class Kind:
    """A kind of batch.

    Attributes:
        draw: Takes the frames out of a window: (window, random, sampling, frames) -> patch.
        frames: What the frames are called, in order of time; None for all of the window, which
            are stacked as "frames" beside their "times".
        timed: Whether a batch tells a time.
        channels: Channels of the flow, where records have it; 0 for a kind without.
        samples: How many samples a window of that many frames gives, at most: 0 for too short.
    """

    draw: Callable[[Window, np.random.Generator, Sampling | None, int], Patch]
    frames: tuple[str, ...] | None
    timed: bool
    channels: int
    samples: Callable[[Layout, Sampling | None], int]

    def spec(self, layout: Layout, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Name -> shape of a sample's frames and times."""
        if self.frames is None:
            return {"frames": (layout.frames, *size, 3), "times": (layout.frames,)}
        return {name: (*size, 3) for name in self.frames} | ({"time": ()} if self.timed else {})

    def named(self, patch: Patch) -> dict[str, np.ndarray]:
        """The frames, in [0, 1], and times of a patch."""
        if self.frames is None:
            frames = np.stack([_unit(frame) for frame in patch.frames])
            return {"frames": frames, "times": np.float32(patch.moments)}
        frames = dict(zip(self.frames, map(_unit, patch.frames), strict=True))
        return frames | ({"time": np.float32(patch.time)} if self.timed else {})


def with_flow(kind: Kind, layout: Layout, sampling: Sampling | None) -> bool:
    """Whether batches have flow: it leads to the window's ends, so they must be the frames."""
    return layout.flow and kind.channels > 0 and sampling is None


def _triplet(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """The ends of the window and one between, any; or as the sampling says."""
    if sampling is None:
        middle = int(random.integers(1, frames - 1))
        numbers = 0, middle, frames - 1
        flow = window.flow(middle - 1) if window.flow else None
    else:
        numbers, _ = _picked(sampling.triplet, sampling, sampling.count(frames), random)
        flow = None
    moments = _moments(window, numbers)
    return Patch(_frames(window, numbers), moments, moments[1], flow)


def _cycle(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """Three frames as far apart as the sampling says, and a time between two."""
    sampling = sampling or CYCLE_SAMPLING
    count = sampling.count(frames, cycle=True)
    numbers, time = _picked(sampling.cycle, sampling, count, random)
    return Patch(_frames(window, numbers), _moments(window, numbers), time)


def _pair(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """Neighbors; where there is flow, an inner frame and the end that it leads to."""
    if window.flow is None:
        first = int(random.integers(frames - 1))
        return Patch(_frames(window, (first, first + 1)), (0.0, 1.0))
    inner, last = int(random.integers(frames - 2)), bool(random.integers(2))
    flow = window.flow(inner)[..., 2:] if last else window.flow(inner)[..., :2]
    numbers = inner + 1, frames - 1 if last else 0
    return Patch(_frames(window, numbers), (0.0, 1.0), None, flow)


def _window(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """All frames."""
    return Patch(_frames(window, range(frames)), window.times)


def _picked(rule: Callable[..., Picked], sampling: Sampling, count: int, random) -> Picked:
    sample, target = int(random.integers(count)), int(random.integers(sampling.num_interp))
    return rule(sample, target, reverse=bool(random.integers(2)))


def _frames(window: Window, numbers: Sequence[int]) -> tuple[np.ndarray, ...]:
    """The frames, 0 to 255 whatever their depth."""
    frames = (window.frame(number) for number in numbers)
    return tuple(
        frame if frame.dtype == np.uint8 else frame.astype(np.float32) / 257 for frame in frames
    )


def _unit(frame: np.ndarray) -> np.ndarray:
    """A frame in [0, 1]."""
    return np.ascontiguousarray(frame, np.float32) / np.float32(255)


def _moments(window: Window, numbers: tuple[int, ...]) -> tuple[float, ...]:
    """When the frames are, if 0 is the first of them and 1 the last."""
    times = [window.times[number] for number in numbers]
    return tuple((time - times[0]) / (times[-1] - times[0]) for time in times)


def _triplets(layout: Layout, sampling: Sampling | None) -> int:
    if sampling is None:
        return max(0, layout.frames - 2)
    if sampling.sample_rate == 0:
        raise InputError("a triplet needs a true frame. Received: sample_rate=0")
    return sampling.count(layout.frames)


def _cycles(layout: Layout, sampling: Sampling | None) -> int:
    return (sampling or CYCLE_SAMPLING).count(layout.frames, cycle=True)


def _pairs(layout: Layout, sampling: Sampling | None) -> int:
    if sampling is not None:
        raise InputError(
            "pairs are neighboring frames; leave out `num_interp`, `sample_rate` and `step_size`"
        )
    return max(0, layout.frames - (2 if layout.flow else 1))


def _windows(layout: Layout, sampling: Sampling | None) -> int:
    if sampling is not None:
        raise InputError("a window has all its frames; leave sampling out")
    return 1


KINDS: dict[str, Kind] = {
    "triplet": Kind(_triplet, ("frame0", "target", "frame1"), True, 4, _triplets),
    "cycle": Kind(_cycle, ("frame0", "frame1", "frame2"), True, 0, _cycles),
    "pair": Kind(_pair, ("frame0", "frame1"), False, 2, _pairs),
    "window": Kind(_window, None, True, 0, _windows),
}
