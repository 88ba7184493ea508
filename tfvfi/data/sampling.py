"""Which frames of a clip make a sample, as Super SloMo and cycle consistency are trained.

The rules are those of NVIDIA/unsupervised-video-interpolation, but for one thing: a sample never
reaches beyond its clip, and a clip that is too short gives none.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tfvfi.errors import ArgumentError, InputError


class Picked(NamedTuple):
    """Numbers of three frames, and the time that is learned.

    In a triplet it is the time of the middle one. In a cycle the middle one is in the middle, and
    it is the time at which both pairs are interpolated.
    """

    frames: tuple[int, int, int]
    time: float


@dataclass(frozen=True)
class Sampling:
    """How clips are cut into samples.

    Attributes:
        num_interp: How many frames lie between two that the network sees.
        sample_rate: How far apart frames are taken; 0 means that nothing lies between: two
            frames in a row are seen, and there is no truth.
        step_size: How far the next sample begins from this one; None for `num_interp + 1`.

    Example:
        >>> sampling = Sampling(num_interp=7)
        >>> sampling.count(20), sampling.count(20, cycle=True)
        (2, 1)
        >>> sampling.triplet(1, target=1)
        Picked(frames=(8, 10, 16), time=0.25)
        >>> sampling.cycle(0, target=0, reverse=True)
        Picked(frames=(16, 8, 0), time=0.875)
    """

    num_interp: int = 7
    sample_rate: int = 1
    step_size: int | None = None

    def __post_init__(self) -> None:
        least = {"num_interp": 1, "sample_rate": 0}
        if self.step_size is not None:
            least["step_size"] = 1
        for name, lowest in least.items():
            value = getattr(self, name)
            if value < lowest:
                raise ArgumentError(f"`{name}` is at least {lowest}. Received: {value}")

    def count(self, frames: int, cycle: bool = False) -> int:
        """How many samples a clip of that many frames gives; for training in a cycle, one less."""
        fitting = (frames - self._apart - 1) // self.step + 1
        if cycle:
            fitting = min(fitting - 1, (frames - 2 * self._apart - 1) // self.step + 1)
        return max(0, fitting)

    def window(self, cycle: bool = False) -> int:
        """How many frames one sample spans; for training in a cycle, of three frames."""
        return (2 if cycle else 1) * self._apart + 1

    def sequence(self, sample: int) -> tuple[int, ...]:
        """The frames for evaluation: the first, all between (or the first again), the last."""
        first = sample * self.step
        if self.sample_rate == 0:
            return (first,) * (self.num_interp + 1) + (first + 1,)
        return tuple(first + self.sample_rate * k for k in range(self.num_interp + 2))

    def triplet(self, sample: int, target: int, reverse: bool = False) -> Picked:
        """The frames for supervised training.

        Args:
            sample: Less than `count`.
            target: Which of the frames between is learned, from 0; drawn uniformly.
            reverse: Whether the clip runs backwards; drawn with probability 1/2.
        """
        if self.sample_rate == 0:
            raise InputError("a triplet needs a true frame. Received: sample_rate=0")
        first = sample * self.step
        frames = first, first + self.sample_rate * (target + 1), first + self._apart
        return self._picked(frames, target, reverse)

    def cycle(self, sample: int, target: int, reverse: bool = False) -> Picked:
        """The frames for training by cycle consistency; arguments as of `triplet`."""
        first = sample * self.step
        frames = first, first + self._apart, first + 2 * self._apart
        return self._picked(frames, target, reverse)

    @property
    def step(self) -> int:
        """How many frames on the next sample begins."""
        return self.step_size or self.num_interp + 1

    @property
    def _apart(self) -> int:
        return max(1, self.sample_rate * (self.num_interp + 1))

    def _picked(self, frames: tuple[int, int, int], target: int, reverse: bool) -> Picked:
        if not 0 <= target < self.num_interp:
            raise InputError(f"target is from 0 to {self.num_interp - 1}. Received: {target}")
        steps = self.num_interp - target if reverse else target + 1
        return Picked(frames[::-1] if reverse else frames, steps / (self.num_interp + 1))
