"""Inputs of convolutions, for any backend."""

import numpy as np


def arrays(batch, height, width, channels, outputs, kernel=3):
    """An image, a kernel, biases, and slopes for negative values."""
    draw = np.random.default_rng(channels)
    image = draw.normal(size=(batch, height, width, channels))
    weights = draw.normal(size=(kernel, kernel, channels, outputs)) / (kernel * channels**0.5)
    bias, slope = draw.normal(size=outputs), draw.uniform(-0.5, 1.5, outputs)
    return [array.astype("float32") for array in (image, weights, bias, slope)]
