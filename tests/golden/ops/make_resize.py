"""Writes resize.npz beside itself: what PyTorch's `interpolate` gives. Needs torch.

`image`, and for every case `<case>_upstream`, `_out` and `_gradient`, [N, C, H, W]; the case's
name says the mode (bilinear, corners, nearest), then the factor in percent, or height x width.
"""

from pathlib import Path

import numpy as np
import torch

SCALES = (200, 50, 80, 125, 400, 37, 25, 300)
SIZES = ((9, 31), (1, 1), (33, 8), (7, 26), (14, 13))


def main() -> None:
    random = np.random.default_rng(2)
    image = random.normal(size=(1, 2, 11, 13)).astype("float32")
    arrays = {}
    for mode in ("bilinear", "corners", "nearest"):
        options = {"mode": "nearest" if mode == "nearest" else "bilinear"}
        if mode != "nearest":
            options["align_corners"] = mode == "corners"
        ways = {f"{mode}_{scale}": {"scale_factor": scale / 100} for scale in SCALES}
        ways |= {f"{mode}_{size[0]}x{size[1]}": {"size": size} for size in SIZES}
        for case, way in ways.items():
            tensor = torch.tensor(image, requires_grad=True)
            out = torch.nn.functional.interpolate(tensor, **way, **options)
            upstream = np.round(random.normal(size=out.shape), 2).astype("float32")
            (gradient,) = torch.autograd.grad(out, tensor, torch.tensor(upstream))
            arrays |= {f"{case}_out": out.detach().numpy(), f"{case}_gradient": gradient.numpy()}
            arrays[f"{case}_upstream"] = upstream
    np.savez_compressed(Path(__file__).with_name("resize.npz"), image=image, **arrays)


if __name__ == "__main__":
    main()
