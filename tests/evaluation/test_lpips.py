"""LPIPS against its definition, computed another way, for tiny networks of both shapes."""

import json

import numpy as np
import pytest

from tests.evaluation.test_evaluate import run_tool
from tfvfi.cli import command
from tfvfi.errors import InputError
from tfvfi.evaluation.lpips import BACKBONES, Lpips

SIDES = {"alexnet": dict(zip((0, 3, 6, 8, 10), (11, 5, 3, 3, 3), strict=True)), "vgg16": {}}
CHANNELS = 4


def write(folder, network, channels=CHANNELS):
    """Files with random weights, under the published names; the paths."""
    random = np.random.default_rng(1)
    blocks = BACKBONES[{"alexnet": 11, "vgg16": 3}[network]].blocks
    backbone, before = {}, 3
    for number in (number for block in blocks for number in block):
        side = SIDES[network].get(number, 3)
        shape = (channels, before, side, side)
        backbone[f"features.{number}.weight"] = random.normal(0, 1, shape).astype("float32") / side
        backbone[f"features.{number}.bias"] = random.normal(0, 0.1, channels).astype("float32")
        before = channels
    linear = {
        f"lin{level}.model.1.weight": random.random((1, channels, 1, 1), "float32")
        for level in range(5)
    }
    paths = folder / f"{network}.npz", folder / f"{network}_linear.npz"
    np.savez(paths[0], **backbone)
    np.savez(paths[1], **linear)
    return paths


def by_definition(network, paths, a, b):
    """The distance by plain sums over windows."""
    backbone, linear = (np.load(path) for path in paths)
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])

    def windows(maps, side, stride):
        seen = np.lib.stride_tricks.sliding_window_view(maps, (side, side), axis=(0, 1))
        return seen[::stride, ::stride]

    def features(frame):
        maps, found = (2 * frame - 1 - shift) / scale, []
        taken = {"alexnet": (0, 3, 6, 8, 10), "vgg16": (2, 7, 14, 21, 28)}[network]
        pooled = {"alexnet": (3, 6), "vgg16": (5, 10, 17, 24)}[network]
        for name in (key for key in backbone.files if key.endswith("weight")):
            number = int(name.split(".")[1])
            kernel, bias = backbone[name], backbone[f"features.{number}.bias"]
            if number in pooled:
                maps = windows(maps, 3 if network == "alexnet" else 2, 2).max((-1, -2))
            side = kernel.shape[-1]
            beside = {11: 2, 5: 2, 3: 1}[side]
            maps = np.pad(maps, ((beside, beside), (beside, beside), (0, 0)))
            seen = windows(maps, side, 4 if side == 11 else 1)
            maps = np.maximum(np.einsum("hwcij,ocij->hwo", seen, kernel) + bias, 0)
            if number in taken:
                found.append(maps / (np.linalg.norm(maps, axis=-1, keepdims=True) + 1e-10))
        return found

    return sum(
        np.mean(np.sum(linear[f"lin{level}.model.1.weight"][0, :, 0, 0] * (x - y) ** 2, axis=-1))
        for level, (x, y) in enumerate(zip(features(a), features(b), strict=True))
    )


@pytest.mark.parametrize("network", ["alexnet", "vgg16"])
def test_it_is_the_defined_distance(network, tmp_path):
    paths = write(tmp_path, network)
    a, b = np.random.default_rng(0).random((2, 70, 83, 3))
    distance = Lpips(*paths)
    assert distance(a, b) == pytest.approx(by_definition(network, paths, a, b), rel=1e-4)
    assert distance(a, b) > 0.01 and distance(a, a) == 0
    bytes_a, bytes_b = (np.rint(255 * frame).astype("uint8") for frame in (a, b))
    assert distance(bytes_a, bytes_b) == pytest.approx(distance(bytes_a / 255, bytes_b / 255))


def test_files_that_are_not_its(tmp_path):
    alexnet, linear = write(tmp_path, "alexnet")
    (tmp_path / "wide").mkdir()
    _, wide = write(tmp_path / "wide", "alexnet", CHANNELS + 1)
    for wrong, said in (
        ((tmp_path / "none.pth", linear), "there is no file"),
        ((linear, linear), "neither AlexNet nor VGG-16"),
        ((alexnet, alexnet), "holds no lin0"),
        ((alexnet, wide), "belongs to another network"),
    ):
        with pytest.raises(InputError, match=said):
            Lpips(*wrong)


def test_the_command_measures_it(clips, tmp_path, capsys):
    backbone, linear = write(tmp_path, "alexnet")
    arguments = ("--dataset=frames", f"--data_dir={clips}", "--limit=1", "--report_samples=0")
    files = (f"--lpips={backbone}", f"--lpips={linear}", f"--report={tmp_path / 'report'}")
    assert run_tool(*arguments, *files) == command.DONE, capsys.readouterr().err
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert "that the user supplied" in summary["definitions"]["lpips"]
    assert summary["contestants"][0]["means"]["lpips"] > 0
    assert run_tool(*arguments, files[0], f"--report={tmp_path / 'other'}") == command.WRONG_FLAGS
    assert "takes two files" in capsys.readouterr().err
