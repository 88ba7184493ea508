"""Interpolates a clip in the way of many PyTorch scripts: one frame after the other.

    python -m videos.naive CLIP OUTPUT MEASURED --clone=IFRNET [--compile]

OpenCV decodes, the authors' IFRNet small renders, and OpenCV encodes. The weights are random, which
does not change the time.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from originals import ifrnet, tensors

from videos.stopwatch import Stopwatch

NETWORK = "ifrnet_s"


def main(clip: str, output: str, measured: str, clone: str, *form: str) -> None:
    """Writes a clip with twice the rate, and the file of what was measured."""
    torch.set_grad_enabled(False)
    reader = cv2.VideoCapture(clip)
    there, frame = reader.read()
    height, width = frame.shape[:2]
    rate = 2 * reader.get(cv2.CAP_PROP_FPS)
    writer = cv2.VideoWriter(output, cv2.VideoWriter_fourcc(*"mp4v"), rate, (width, height))
    like = [np.zeros((1, height, width, 3), "float32")] * 2
    network = ifrnet.build(Path(clone.removeprefix("--clone=")), NETWORK, like).network
    if form:
        network = torch.compile(network)
    half = torch.full((1, 1, 1, 1), tensors.TIME)
    stopwatch, first = Stopwatch(), tensor(frame)
    while there:
        writer.write(frame)
        there, frame = reader.read()
        if there:
            second = tensor(frame)
            with stopwatch:
                made = network(first, second, half)
            writer.write(image(made, height, width))
            first = second
    writer.release()
    stopwatch.write(Path(measured))


def tensor(frame: np.ndarray) -> torch.Tensor:
    """Returns a frame as the network takes it."""
    rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    planes = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    height, width = planes.shape[2:]
    below, beside = (
        tensors.next_multiple(side, ifrnet.MULTIPLE) - side for side in (height, width)
    )
    return functional.pad(planes, (0, beside, 0, below), mode="replicate")


def image(made: torch.Tensor, height: int, width: int) -> np.ndarray:
    """Returns a network's frame as OpenCV takes it."""
    planes = (made[0, :, :height, :width].clamp(0, 1) * 255).round().byte()
    return cv2.cvtColor(planes.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2BGR)


if __name__ == "__main__":
    main(*sys.argv[1:])
