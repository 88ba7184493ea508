"""SepConv of sniklaus/sepconv-slomo."""

import types
from pathlib import Path

import numpy as np

from originals import importing, stand_ins, tensors
from originals.subject import Subject

MULTIPLE = 128


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights and our separable convolution."""
    convolution = types.SimpleNamespace(apply=stand_ins.separable_convolution)
    importing.module("sepconv", sepconv_func=convolution)
    with importing.without_downloads():
        network = importing.load(clone, "run", ("PIL", "PIL.Image")).Network().eval()
    pair = [tensors.padded(tensors.first(frame, bgr=True), MULTIPLE) for frame in frames]
    output = tensors.frame_of(frames[0], bgr=True)
    return Subject(network, tuple(pair), output, tensors.state_of(network))
