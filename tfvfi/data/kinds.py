"""Kinds of batches: which frames of a window a sample takes, and their names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfvfi.data.augment import Patch
from tfvfi.data.records import Layout
from tfvfi.data.sampling import Picked, Sampling
from tfvfi.data.sources import Window
from tfvfi.errors import InputError

# The published setting of cycle consistency: three consecutive frames and times in eighths.
CYCLE_SAMPLING = Sampling(num_interp=7, sample_rate=0, step_size=1)


@dataclass(frozen=True)
class Kind:
    """A kind of batch.

    Attributes:
        draw: Takes frames from a window: (window, random, sampling, frames) -> patch.
        frames: The names of the frames in order of time; None for all frames of the window, which
            are stacked as "frames", with their "times".
        timed: Whether a batch holds a time.
        channels: The number of flow channels if the records hold flow; 0 for kinds without flow.
        samples: Returns the most samples that a window of a layout gives; 0 if it is too short.
    """

    draw: Callable[[Window, np.random.Generator, Sampling | None, int], Patch]
    frames: tuple[str, ...] | None
    timed: bool
    channels: int
    samples: Callable[[Layout, Sampling | None], int]

    def spec(self, layout: Layout, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Returns the names and shapes of a sample's frames and times."""
        if self.frames is None:
            return {"frames": (layout.frames, *size, 3), "times": (layout.frames,)}
        return {name: (*size, 3) for name in self.frames} | ({"time": ()} if self.timed else {})

    def named(self, patch: Patch) -> dict[str, np.ndarray]:
        """Returns the frames of a patch, in [0, 1], and its times, by name."""
        if self.frames is None:
            frames = np.stack([_unit(frame) for frame in patch.frames])
            return {"frames": frames, "times": np.float32(patch.moments)}
        frames = dict(zip(self.frames, map(_unit, patch.frames), strict=True))
        return frames | ({"time": np.float32(patch.time)} if self.timed else {})


def with_flow(kind: Kind, layout: Layout, sampling: Sampling | None) -> bool:
    """Returns whether batches have flow.

    Flow leads to the ends of the window, so a `sampling` that takes other frames rules it out.
    """
    return layout.flow and kind.channels > 0 and sampling is None


def _triplet(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """Takes the ends of the window and any frame between, or the frames that `sampling` picks."""
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
    """Takes three frames at the distance that `sampling` states, and a time between two."""
    sampling = sampling or CYCLE_SAMPLING
    count = sampling.count(frames, cycle=True)
    numbers, time = _picked(sampling.cycle, sampling, count, random)
    return Patch(_frames(window, numbers), _moments(window, numbers), time)


def _pair(
    window: Window, random: np.random.Generator, sampling: Sampling | None, frames: int
) -> Patch:
    """Takes neighboring frames or, if there is flow, an inner frame and the end it leads to."""
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
    """Takes all frames."""
    return Patch(_frames(window, range(frames)), window.times)


def _picked(rule: Callable[..., Picked], sampling: Sampling, count: int, random) -> Picked:
    sample, target = int(random.integers(count)), int(random.integers(sampling.num_interp))
    return rule(sample, target, reverse=bool(random.integers(2)))


def _frames(window: Window, numbers: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Returns frames of the window, 0 to 255 whatever their bit depth."""
    frames = (window.frame(number) for number in numbers)
    return tuple(
        frame if frame.dtype == np.uint8 else frame.astype(np.float32) / 257 for frame in frames
    )


def _unit(frame: np.ndarray) -> np.ndarray:
    """Returns a frame scaled to [0, 1]."""
    return np.ascontiguousarray(frame, np.float32) / np.float32(255)


def _moments(window: Window, numbers: tuple[int, ...]) -> tuple[float, ...]:
    """Returns the times of the frames, scaled to 0 for the first of them and 1 for the last."""
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
