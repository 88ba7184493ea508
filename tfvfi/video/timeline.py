"""When each output frame is shown, and between which source frames it lies. All times are exact.

Source frames are shown at p_0 < p_1 < ... < p_(n-1), the last one until p_n. Then

- `Factor(k)` shows, for every source frame i, k frames at p_i + (j / k) (p_(i+1) - p_i),
  j = 0 .. k-1: n k frames in all. The duration is the source's, and source frames keep their times
  whether they are even or not. After the last source frame there is nothing to interpolate: it is
  held. Pictures without a clock have no "after": they give (n - 1) k + 1 frames.
- `Rate(f)` shows frames at p_0 + m / f, as many as have their middle before the end:
  max(1, ceil((p_n - p_0) f - 1/2)). The duration is the source's within half a frame.

Of a part of so many seconds are shown those frames of the whole that fall into it; the last one
ends with it.

A frame shown at p_i <= t < p_(i+1) is the source's own where t = p_i, and lies
(t - p_i) / (p_(i+1) - p_i) of the way to the next one elsewhere.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from tfvfi.media.shown import Shown


@dataclass(frozen=True)
class Span:
    """A source frame, the next one (None after the last), and what is wanted from there on.

    Attributes:
        first: The frame that the span begins with.
        second: The frame that ends it.
        end: When it ends.
        shares: How far each output frame is on the way from `first` to `second`.
        times: When each is shown.
        lengths: How long.
        how: How those on the way come about: "hold" of the first, "mix" or "interpolate".
    """

    first: np.ndarray
    second: np.ndarray | None
    end: Fraction
    shares: tuple[Fraction, ...]
    times: tuple[Fraction, ...]
    lengths: tuple[Fraction, ...]
    how: str = "hold"

    def without_last(self) -> "Span":
        """The span with an output frame less."""
        kept = {name: getattr(self, name)[:-1] for name in ("shares", "times", "lengths")}
        return replace(self, **kept)

    def until(self, end: Fraction) -> "Span":
        """The part of the span before a time."""
        count = sum(time < end for time in self.times)
        pairs = zip(self.times[:count], self.lengths[:count], strict=True)
        return replace(
            self,
            end=min(self.end, end),
            shares=self.shares[:count],
            times=self.times[:count],
            lengths=tuple(min(length, end - time) for time, length in pairs),
        )


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
    frames: Iterable[Shown], wanted: Factor | Rate, seconds: Fraction | None = None
) -> Iterator[Span]:
    """What to make of a stream of frames, span by span; two source frames are held at a time.

    Of a `Rate` the last frame may be one too many, see `settled`.

    Args:
        frames: Source frames in order, their times rising.
        wanted: What is to come out.
        seconds: How much of it; None: all.
    """
    before = end = None
    for frame in frames:
        if before is not None:
            span = _span(before, frame, frame.time, wanted)
            yield span if end is None else span.until(end)
            if end is not None and frame.time >= end:
                return
        elif seconds is not None:
            end = frame.time + seconds
        before = frame
    if before is not None:
        held = before.held[-1] if before.held else before.time
        span = _span(before, None, held + before.length, wanted)
        yield span if end is None else span.until(end)


def settled(found: Iterable[Span], wanted: Factor | Rate) -> Iterator[Span]:
    """The spans that show something, without a last frame whose middle is not before the end.

    The end is known only there, so one span is held.

    Args:
        found: What `spans` gives.
        wanted: Likewise.
    """
    waiting, first, end = None, True, None
    for span in found:
        end = span.end
        if span.times:
            if waiting is not None:
                first = False
                yield waiting
            waiting = span
    if waiting is None:
        return
    if waiting.times[-1] + wanted.half >= end and not (first and len(waiting.times) == 1):
        waiting = waiting.without_last()
    yield waiting


def _span(first: Shown, second: Shown | None, end: Fraction, wanted: Factor | Rate) -> Span:
    """What is wanted between two source frames, or after the last."""
    beats = list(pairwise((first.time, *first.held, end)))
    slots = [
        slot
        for start, stop in beats
        for slot in wanted.slots(start, stop, last=second is None and stop == end)
    ]
    times = tuple(time for time, _ in slots)
    lengths = tuple(length for _, length in slots)
    if second is None:
        return Span(first.image, None, end, (Fraction(0),) * len(slots), times, lengths)
    shares = tuple((time - first.time) / (end - first.time) for time in times)
    return Span(first.image, second.image, end, shares, times, lengths)
