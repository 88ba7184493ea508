"""The authors' network with its inputs, as the file of each network returns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Subject:
    """A network that is ready to run.

    Attributes:
        network: The authors' module, or a function, of the inputs.
        inputs: The frames (and the time) as the network takes them: padded, in its own layout and
            colors. They are prepared before the clock starts.
        output: Converts what the network returns to the form of ours: (1, H, W, C), float32.
        state: Its weights by their published names, from which ours are converted.
        branches: Whether it looks at values to choose what it computes. A conversion then records
            what it does with the inputs.
    """

    network: Any
    inputs: tuple[Any, ...]
    output: Callable[[Any], np.ndarray]
    state: Mapping[str, np.ndarray]
    branches: bool = False
