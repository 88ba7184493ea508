"""Interpolates a clip as `tools/interpolate.py --factor=2` does, and measures the network's share.

python -m videos.ours CLIP OUTPUT MEASURED --model=ifrnet_s
python -m videos.ours CLIP OUTPUT MEASURED --quality=balanced
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tfvfi
from tfvfi import registry
from videos.stopwatch import Stopwatch


class Timed:
    """A network whose calls are measured."""

    def __init__(self, network: Any):
        self.network = network
        self.stopwatch = Stopwatch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def interpolate(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float]
    ) -> list[np.ndarray]:
        """Returns the network's frames."""
        with self.stopwatch:
            return self.network.interpolate(frame0, frame1, times)


def main(clip: str, output: str, measured: str, chosen: str) -> None:
    """Writes a clip with twice the rate, and the file of what was measured."""
    kind, _, name = chosen.removeprefix("--").partition("=")
    spec = registry.chosen(**{"model": None, kind: name})
    network = Timed(spec.load_interpolator())
    tfvfi.interpolate_video(clip, output, network, 2, overwrite=True, progress=False)
    network.stopwatch.write(Path(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
