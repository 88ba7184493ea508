"""A sample of a benchmark with its frames in memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Loaded:
    """A sample with its frames."""

    sample: Any
    pair: tuple[np.ndarray, np.ndarray]
    truths: list[np.ndarray]

    @classmethod
    def read(cls, sample: Any) -> "Loaded":
        """Reads what the sample names."""
        truths = [target.read() for target in sample.targets]
        return cls(sample, (sample.frame0.read(), sample.frame1.read()), truths)

    @property
    def kind(self) -> tuple:
        """Samples of one kind can be predicted in one batch."""
        return self.pair[0].shape, self.pair[0].dtype, self.sample.times
