"""Writes the checkpoints beside this file: tiny ones, saved by torch itself, in every form.

Run by hand, with torch and safetensors installed: python tests/golden/checkpoints/make_files.py
`expected.npz` holds what they contain, as torch sees it; bfloat16 as float32.
"""

import argparse
import collections
import io
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

HERE = Path(__file__).parent


def state() -> dict[str, torch.Tensor]:
    """A state dict with a tensor of every kind."""
    torch.manual_seed(1)
    base = torch.randn(6, 8)
    return collections.OrderedDict(
        [
            ("conv.weight", torch.randn(4, 3, 3, 3)),
            ("conv.bias", torch.randn(4)),
            ("half", torch.randn(5).half()),
            ("bfloat", torch.randn(5).bfloat16()),
            ("double", torch.randn(3, dtype=torch.float64)),
            ("long", torch.tensor([-(2**40), 7])),
            ("int", torch.tensor([-3, 2**30], dtype=torch.int32)),
            ("short", torch.tensor([-300], dtype=torch.int16)),
            ("char", torch.tensor([-5], dtype=torch.int8)),
            ("byte", torch.tensor([250], dtype=torch.uint8)),
            ("bool", torch.tensor([True, False])),
            ("scalar", torch.tensor(1.5)),
            ("empty", torch.zeros(0, 3)),
            ("base", base),
            ("transposed", base.t()),
            ("sliced", base[1:5:2, 2:7:3]),
            ("row", base[3]),
            ("expanded", torch.tensor([[2.0], [3.0]]).expand(2, 4)),
            ("parameter", torch.nn.Parameter(torch.randn(2, 2))),
        ]
    )


def training(weights: dict[str, torch.Tensor]) -> dict:
    """What a training script saves around its weights."""
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    return {
        "epoch": 7,
        "arch": "FlowNet2",
        "best_EPE": np.float64(1.25),
        "mean": np.arange(3, dtype="float32"),
        "args": argparse.Namespace(lr=1e-4, names=["a", "b"]),
        "state_dict": weights,
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
    }


def two_parts() -> dict:
    """Two networks in one file."""
    weights = state()
    return {
        "Detail": "two networks",
        "epoch": 199,
        "loss": [1.0, 0.5],
        "state_dictFC": {"conv.weight": weights["conv.weight"]},
        "state_dictAT": {"conv.bias": weights["conv.bias"]},
    }


def big_endian(path: Path, target: Path) -> None:
    """The same zip as a big-endian machine writes it (floats of 4 bytes only)."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as sink:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("byteorder"):
                data = b"big"
            elif "/data/" in entry.filename:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            sink.writestr(entry.filename, data)


def main() -> None:
    """Writes every file."""
    weights = state()
    floats = {key: weights[key] for key in ("conv.weight", "conv.bias", "transposed")}
    parallel = {f"module.{key}": value for key, value in weights.items()}
    for form, is_zip in (("zip", True), ("legacy", False)):
        for name, content in (
            ("state", weights),
            ("training", training(weights)),
            ("parallel", {"state_dict": parallel}),
            ("two_parts", two_parts()),
        ):
            path = HERE / f"{name}_{form}.pth"
            torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    torch.save(weights, HERE / "protocol4_zip.pth", pickle_protocol=4)
    buffer = io.BytesIO()
    torch.save(floats, buffer)
    big_endian(buffer, HERE / "big_endian_zip.pth")
    contiguous = {key: value.detach().clone().contiguous() for key, value in weights.items()}
    safetensors.torch.save_file(contiguous, HERE / "state.safetensors", metadata={"format": "pt"})
    expected = {
        key: (value.float() if value.dtype == torch.bfloat16 else value).detach().numpy()
        for key, value in weights.items()
    }
    np.savez(HERE / "expected.npz", **expected)


if __name__ == "__main__":
    main()
