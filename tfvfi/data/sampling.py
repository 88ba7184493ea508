"""Chooses the frames of a sample in a clip, for training Super SloMo and cycle consistency.

The rules are those of NVIDIA/unsupervised-video-interpolation, except that a sample never reaches
beyond its clip, and a clip that is too short gives no sample.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tfvfi.errors import ArgumentError, InputError


class Picked(NamedTuple):
    """The numbers of three frames, and the time that is learned.

    In a triplet, it is the time of the middle frame. In a cycle, the frames are evenly spaced, and
    both pairs are interpolated at that time.
    """

    frames: tuple[int, int, int]
    time: float


@dataclass(frozen=True)
class Sampling:
    """The rule by which clips are cut into samples.

    Attributes:
        num_interp: The number of frames between two input frames of the network.
        sample_rate: The distance between the frames of a sample in the clip; 0 means that the
            input frames are consecutive, without any true frames between them.
        step_size: The distance from one sample to the next; None for `num_interp + 1`.

    Raises:
        ArgumentError: A value is too small.

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
        """Returns the number of samples in a clip; for training in a cycle, at least one fewer."""
        fitting = (frames - self._apart - 1) // self.step + 1
        if cycle:
            fitting = min(fitting - 1, (frames - 2 * self._apart - 1) // self.step + 1)
        return max(0, fitting)

    def window(self, cycle: bool = False) -> int:
        """Returns the number of frames that a sample spans; a cycle spans two intervals."""
        return (2 if cycle else 1) * self._apart + 1

    def sequence(self, sample: int) -> tuple[int, ...]:
        """Returns the frames for evaluation: the first, all between (or the first), the last."""
        first = sample * self.step
        if self.sample_rate == 0:
            return (first,) * (self.num_interp + 1) + (first + 1,)
        return tuple(first + self.sample_rate * k for k in range(self.num_interp + 2))

    def triplet(self, sample: int, target: int, reverse: bool = False) -> Picked:
        """Returns the frames for supervised training.

        Args:
            sample: The number of the sample, less than `count`.
            target: The number, from 0, of the inner frame to learn; the caller draws it uniformly.
            reverse: Whether time is reversed; the caller draws it with probability 1/2.

        Raises:
            InputError: `sample_rate` is 0, or `target` is out of range.
        """
        if self.sample_rate == 0:
            raise InputError("a triplet needs a true frame. Received: sample_rate=0")
        first = sample * self.step
        frames = first, first + self.sample_rate * (target + 1), first + self._apart
        return self._picked(frames, target, reverse)

    def cycle(self, sample: int, target: int, reverse: bool = False) -> Picked:
        """Returns the frames for training by cycle consistency; see `triplet` for arguments."""
        first = sample * self.step
        frames = first, first + self._apart, first + 2 * self._apart
        return self._picked(frames, target, reverse)

    @property
    def step(self) -> int:
        """The distance from one sample to the next, in frames."""
        return self.step_size or self.num_interp + 1

    @property
    def _apart(self) -> int:
        return max(1, self.sample_rate * (self.num_interp + 1))

    def _picked(self, frames: tuple[int, int, int], target: int, reverse: bool) -> Picked:
        if not 0 <= target < self.num_interp:
            raise InputError(f"target is from 0 to {self.num_interp - 1}. Received: {target}")
        steps = self.num_interp - target if reverse else target + 1
        return Picked(frames[::-1] if reverse else frames, steps / (self.num_interp + 1))
