"""When each output frame is shown, and between which source frames it lies. All times are exact.

Source frames are shown at p_0 < p_1 < ... < p_(n-1), the last one until p_n. Then

- `Factor(k)` shows, for every source frame i, k frames at p_i + (j / k) (p_(i+1) - p_i),
  j = 0 .. k-1: n k frames in all. The duration is the source's, and source frames keep their times
  whether they are even or not. After the last source frame there is nothing to interpolate: it is
  held. Pictures without a clock have no "after": they give (n - 1) k + 1 frames.
- `Rate(f)` shows frames at p_0 + m / f, as many as have their middle before the end:
  max(1, ceil((p_n - p_0) f - 1/2)). The duration is the source's within half a frame.

A frame shown at p_i <= t < p_(i+1) is the source's own where t = p_i, and lies
(t - p_i) / (p_(i+1) - p_i) of the way to the next one elsewhere.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Shown:
    """A source frame and the time at which it is shown.

    Attributes:
        image: H x W x 3 or 4.
        time: In seconds.
        held: Times at which it was shown again, where repeats are to be filled with motion.
    """

    image: np.ndarray
    time: Fraction
    held: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Span:
    """A source frame, the next one (None after the last), and what is wanted from there on.

    Attributes:
        first: The frame that the span begins with.
        second: The frame that ends it.
        shares: How far each output frame is on the way from `first` to `second`.
        times: When each is shown.
        lengths: How long.
    """

    first: np.ndarray
    second: np.ndarray | None
    shares: tuple[Fraction, ...]
    times: tuple[Fraction, ...]
    lengths: tuple[Fraction, ...]

    @classmethod
    def of(cls, first: Shown, second: Shown | None, slots: list["Slot"]) -> "Span":
        """The span between two source frames, or after the last."""
        times = tuple(time for time, _ in slots)
        lengths = tuple(length for _, length in slots)
        if second is None:
            return cls(first.image, None, (Fraction(0),) * len(slots), times, lengths)
        length = second.time - first.time
        shares = tuple((time - first.time) / length for time in times)
        return cls(first.image, second.image, shares, times, lengths)


# When a frame is shown, and how long.
Slot = tuple[Fraction, Fraction]


class Factor:
    """`factor` frames for one.

    Args:
        factor: How many times as many frames.
        clock: False for pictures that have no duration.
    """

    # Frames belong to the source frame that they follow, however short the end is.
    half = Fraction(0)

    def __init__(self, factor: int, clock: bool = True):
        self.factor = factor
        self.clock = clock

    def slots(self, start: Fraction, end: Fraction, last: bool) -> list[Slot]:
        """What is shown from `start` on, before `end`."""
        if last and not self.clock:
            return [(start, end - start)]
        length = (end - start) / self.factor
        return [(start + length * number, length) for number in range(self.factor)]

    def count(self, frames: int, seconds: Fraction) -> int:
        """Number of output frames."""
        return frames * self.factor if self.clock else (frames - 1) * self.factor + 1


class Rate:
    """Frames at an even rate, whatever the source's."""

    def __init__(self, rate: Fraction):
        self.rate = rate
        self.half = 1 / (2 * rate)
        self.origin: Fraction | None = None
        self.made = 0

    def slots(self, start: Fraction, end: Fraction, last: bool) -> list[Slot]:
        """What is shown from `start` on, before `end`."""
        if self.origin is None:
            self.origin = start
        first, self.made = self.made, max(self.made, math.ceil((end - self.origin) * self.rate))
        return [
            (self.origin + number / self.rate, 1 / self.rate) for number in range(first, self.made)
        ]

    def count(self, frames: int, seconds: Fraction) -> int:
        """Number of output frames."""
        return max(1, math.ceil(seconds * self.rate - Fraction(1, 2)))


def spans(
    frames: Iterable[Shown], wanted: Factor | Rate, last_duration: Callable[[], Fraction]
) -> Iterator[Span]:
    """What to make of a stream of frames, span by span; two source frames are held at a time.

    Args:
        frames: Source frames in order, their times rising.
        wanted: What is to come out.
        last_duration: Called at the end; gives how long the last frame is shown.
    """
    before = late = None
    empty = True

    def settled(first: Shown, second: Shown | None, end: Fraction) -> Iterator[Span]:
        """The span's frames whose middle is before the end known so far; at most one is late."""
        nonlocal late, empty
        if late is not None and late.times[0] + wanted.half < end:
            empty = False
            yield late
            late = None
        beats = list(pairwise((first.time, *first.held, end)))
        slots = [
            slot
            for start, stop in beats
            for slot in wanted.slots(start, stop, last=second is None and stop == end)
        ]
        ready = [slot for slot in slots if slot[0] + wanted.half < end]
        empty = empty and not ready
        yield Span.of(first, second, ready)
        if len(ready) < len(slots):
            late = Span.of(first, second, slots[len(ready) :])

    for frame in frames:
        if before is not None:
            yield from settled(before, frame, frame.time)
        before = frame
    if before is not None:
        end = before.held[-1] if before.held else before.time
        yield from settled(before, None, end + last_duration())
        if empty and late is not None:
            yield late
