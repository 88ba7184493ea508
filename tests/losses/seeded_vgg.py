"""Stand-ins for published weights of VGG-19, as far as the style loss looks."""

import numpy as np

from tests.golden.seeded import seeded_state

INDICES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30)
WIDTHS = (3, *[64] * 2, *[128] * 2, *[256] * 4, *[512] * 6)
DEPTHS = (2, 2, 4, 4, 2)
NAMES = [f"block{b}_conv{n}" for b, depth in enumerate(DEPTHS, 1) for n in range(1, depth + 1)]


def torchvision() -> dict[str, np.ndarray]:
    """Arrays under torchvision's names."""
    rows = []
    for index, inputs, outputs in zip(INDICES, WIDTHS[:-1], WIDTHS[1:], strict=True):
        rows.append([f"features.{index}.weight", [outputs, inputs, 3, 3], "conv", 1.4])
        rows.append([f"features.{index}.bias", [outputs], "bias", 0.05])
    return seeded_state(rows, 22)


def oxford() -> dict[str, np.ndarray]:
    """The same as Keras's file names them: (height, width, in, out), for frames in BGR."""
    arrays, named = {}, torchvision()
    for index, name in zip(INDICES, NAMES, strict=True):
        kernel = named[f"features.{index}.weight"].transpose(2, 3, 1, 0)
        arrays[f"{name}/{name}_W_1"] = kernel[:, :, ::-1] if index == 0 else kernel
        arrays[f"{name}/{name}_b_1"] = named[f"features.{index}.bias"]
    return arrays
