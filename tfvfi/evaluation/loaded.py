"""Samples of a benchmark with their frames in memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Loaded:
    """A sample with its frames.

    Attributes:
        sample: The sample, which names its files.
        pair: The two given frames.
        truths: The true frames between them.
    """

    sample: Any
    pair: tuple[np.ndarray, np.ndarray]
    truths: list[np.ndarray]

    @classmethod
    def read(cls, sample: Any) -> "Loaded":
        """Reads the frames of a sample."""
        truths = [target.read() for target in sample.targets]
        return cls(sample, (sample.frame0.read(), sample.frame1.read()), truths)

    @property
    def kind(self) -> tuple:
        """What samples must have in common to be predicted in one batch."""
        return self.pair[0].shape, self.pair[0].dtype, self.sample.times
