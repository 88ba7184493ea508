"""When each output frame is shown, and between which source frames it lies. All times are exact.

Source frames are shown at p_0 < p_1 < ... < p_(n-1), and the last one until p_n.

- `Factor(k)` shows, for every source frame i, k frames at p_i + (j / k) (p_(i+1) - p_i),
  j = 0 .. k-1, which makes n k frames in all. The duration is the source's, and source frames keep
  their times, even or uneven. There is nothing to interpolate after the last source frame, so it
  is held. In pictures without a clock the last frame has no duration: they give (n - 1) k + 1
  frames.
- `Rate(f)` shows frames at p_0 + m / f, as many as have their middle before the end:
  max(1, ceil((p_n - p_0) f - 1/2)). The duration is the source's to within half a frame.

If only the first seconds are used, those output frames are shown that begin within them, and the
last one ends with them.

An output frame at p_i <= t < p_(i+1) is the source frame itself if t = p_i; otherwise it lies
(t - p_i) / (p_(i+1) - p_i) of the way to the next source frame.
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
    """The output frames between one source frame and the next.

    Attributes:
        first: The source frame with which the span begins.
        second: The next source frame; None after the last one.
        end: The time at which the span ends.
        shares: How far each output frame lies on the way from `first` (0) to `second` (1).
        times: The time at which each output frame is shown.
        lengths: How long each output frame is shown.
        how: How the frames between are rendered: "hold" (repeats `first`), "mix" (blends the two)
            or "interpolate".
    """

    first: np.ndarray
    second: np.ndarray | None
    end: Fraction
    shares: tuple[Fraction, ...]
    times: tuple[Fraction, ...]
    lengths: tuple[Fraction, ...]
    how: str = "hold"

    def without_last(self) -> "Span":
        """Returns the span without its last output frame."""
        kept = {name: getattr(self, name)[:-1] for name in ("shares", "times", "lengths")}
        return replace(self, **kept)

    def until(self, end: Fraction) -> "Span":
        """Returns the part of the span before a time."""
        count = sum(time < end for time in self.times)
        pairs = zip(self.times[:count], self.lengths[:count], strict=True)
        return replace(
            self,
            end=min(self.end, end),
            shares=self.shares[:count],
            times=self.times[:count],
            lengths=tuple(min(length, end - time) for time, length in pairs),
        )


# The time at which a frame is shown, and how long it is shown.
Slot = tuple[Fraction, Fraction]


class Factor:
    """A rule that shows `factor` output frames per source frame.

    Args:
        factor: The number of output frames per source frame.
        clock: Whether the last frame has a duration; False for plain pictures.
    """

    # `settled` drops no frame: each belongs to the source frame that it follows, however short the
    # end is.
    half = Fraction(0)

    def __init__(self, factor: int, clock: bool = True):
        self.factor = factor
        self.clock = clock

    def slots(self, start: Fraction, end: Fraction, last: bool) -> list[Slot]:
        """Returns the times and lengths of the output frames from `start` until `end`.

        Args:
            start: The time of a source frame or of a held copy of it.
            end: The time of the next one, or the end of the video.
            last: Whether the video ends at `end`.
        """
        if last and not self.clock:
            return [(start, end - start)]
        length = (end - start) / self.factor
        return [(start + length * number, length) for number in range(self.factor)]

    def count(self, frames: int, seconds: Fraction) -> int:
        """Returns the number of output frames for a source of `frames` frames and `seconds`."""
        return frames * self.factor if self.clock else (frames - 1) * self.factor + 1


class Rate:
    """A rule that shows frames at an even rate, whatever the rate of the source.

    Args:
        rate: Frames per second.
    """

    def __init__(self, rate: Fraction):
        self.rate = rate
        self.half = 1 / (2 * rate)
        self.origin: Fraction | None = None
        self.made = 0

    def slots(self, start: Fraction, end: Fraction, last: bool) -> list[Slot]:
        """Returns the times and lengths of the output frames from `start` until `end`.

        Args:
            start: The time of a source frame or of a held copy of it.
            end: The time of the next one, or the end of the video.
            last: Whether the video ends at `end`.
        """
        if self.origin is None:
            self.origin = start
        first, self.made = self.made, max(self.made, math.ceil((end - self.origin) * self.rate))
        return [
            (self.origin + number / self.rate, 1 / self.rate) for number in range(first, self.made)
        ]

    def count(self, frames: int, seconds: Fraction) -> int:
        """Returns the number of output frames for a source of `frames` frames and `seconds`."""
        return max(1, math.ceil(seconds * self.rate - Fraction(1, 2)))


def spans(
    frames: Iterable[Shown], wanted: Factor | Rate, seconds: Fraction | None = None
) -> Iterator[Span]:
    """Yields the spans of a stream of frames; only two source frames are in memory at a time.

    With a `Rate`, there may be one output frame too many at the end; `settled` removes it.

    Args:
        frames: Source frames in order of their times, which increase.
        wanted: The rule that determines the output frames.
        seconds: How many seconds are used; None uses all.
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
    """Yields the spans that have output frames, without a last frame that is mostly past the end.

    The last frame is dropped if its middle is not before the end. The end is known only after the
    last span, so one span is kept back.

    Args:
        found: The spans that `spans` yields.
        wanted: The rule that was given to `spans`.
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
    """Returns the span between two source frames, or after the last one."""
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
