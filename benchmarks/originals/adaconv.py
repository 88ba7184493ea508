"""AdaConv as a dense PyTorch network, written for this comparison.

The authors published no code. Skipping every second position becomes a dilation of all later
layers, the usual way to run such a network on a whole frame.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from originals import stand_ins, tensors
from originals.subject import Subject

# Side, channels and dilation of every convolution; "batch_normalization" follows those marked.
LAYERS = (
    (7, 32, 1, True),
    (2, 32, 1, False),
    (5, 64, 2, True),
    (2, 64, 2, False),
    (5, 128, 4, True),
    (2, 128, 4, False),
    (3, 256, 8, True),
)
GATHERED, WIDTH, TAPS, SPACING = 4, 2048, 41, 8
BEFORE, AFTER = 39, 38
EPSILON = 1e-3
# Pixels whose kernels are in memory at a time.
PIXELS_AT_ONCE = 3 * 2**12


class AdaConv(torch.nn.Module):
    """Renders the middle frame."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        channels = 6
        for side, width, dilation, normalized in LAYERS:
            layers += [torch.nn.Conv2d(channels, width, side, dilation=dilation), torch.nn.ReLU()]
            if normalized:
                layers.append(torch.nn.BatchNorm2d(width, eps=EPSILON))
            channels = width
        self.trunk = torch.nn.Sequential(*layers)
        self.gather = torch.nn.Conv2d(channels, WIDTH, GATHERED, dilation=SPACING)
        self.taps = torch.nn.Conv2d(WIDTH, 2 * TAPS**2, 1)

    def forward(self, frame0: torch.Tensor, frame1: torch.Tensor) -> torch.Tensor:
        """Returns the middle frame of two frames (1, 3, H, W), blue, green, red up to 255."""
        features = self.trunk(
            functional.pad(torch.cat([frame0, frame1], 1), (BEFORE, AFTER, BEFORE, AFTER))
        )
        sources = [functional.pad(frame, [TAPS // 2] * 4) for frame in (frame0, frame1)]
        height, width = frame0.shape[2:]
        rows = max(1, PIXELS_AT_ONCE // width)
        return torch.cat(
            [
                self.strip(features, sources, start, min(rows, height - start))
                for start in range(0, height, rows)
            ],
            dim=2,
        )

    def strip(
        self, features: torch.Tensor, sources: list[torch.Tensor], start: int, rows: int
    ) -> torch.Tensor:
        """Returns some rows of the frame."""
        context = (GATHERED - 1) * SPACING
        read = features[:, :, start : start + rows + context]
        logits = self.taps(functional.relu(self.gather(read))).float()
        kernels = logits.softmax(1).movedim(1, -1).unflatten(-1, (TAPS, 2 * TAPS))
        within = [source[:, :, start : start + rows + TAPS - 1] for source in sources]
        return stand_ins.local_convolution(
            within[0], kernels[..., :TAPS]
        ) + stand_ins.local_convolution(within[1], kernels[..., TAPS:])


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the network with random weights."""
    network = AdaConv().eval()
    pair = [tensors.first(frame, bgr=True, white=255.0) for frame in frames]
    to_frame = tensors.frame_of(frames[0], bgr=True)
    return Subject(network, tuple(pair), lambda made: to_frame(made / 255), _state(network))


def _state(network: AdaConv) -> dict[str, np.ndarray]:
    """Returns the weights, in PyTorch's order, by the names that the Keras project gives them."""
    modules = [*network.trunk, network.gather, network.taps]
    convolutions = [each for each in modules if isinstance(each, torch.nn.Conv2d)]
    norms = [each for each in modules if isinstance(each, torch.nn.BatchNorm2d)]
    state = {}
    for number, conv in enumerate(convolutions):
        name = f"conv2d_{number}" if number else "conv2d"
        state[f"{name}/kernel"] = conv.weight
        state[f"{name}/bias"] = conv.bias
    for number, norm in enumerate(norms, start=1):
        name = f"batch_normalization_{number}"
        state[f"{name}/gamma"], state[f"{name}/beta"] = norm.weight, norm.bias
        state[f"{name}/moving_mean"] = norm.running_mean
        state[f"{name}/moving_variance"] = norm.running_var
    return {key: value.detach().numpy() for key, value in state.items()}
