"""Benchmarks of separate samples, which are listed in files or have a folder each."""

from pathlib import Path

import cv2
import numpy as np

from tfvfi.data.datasets.known import Known
from tfvfi.data.datasets.sample import (
    Benchmark,
    Picture,
    Sample,
    check_split,
    find_root,
    listed,
)
from tfvfi.errors import InputError
from tfvfi.media import pictures

XIPH_CLIPS = (
    "BoxingPractice",
    "Crosswalk",
    "DrivingPOV",
    "FoodMarket",
    "FoodMarket2",
    "RitualDance",
    "SquareAndTimelapse",
    "Tango",
)
XIPH_FRAMES = 100
FULL_HD_WIDE = (2048, 1080)


def vimeo90k(known: Known, data_dir: Path, split: str = "test") -> Benchmark | None:
    """Opens Vimeo90K: triplets, or septuplets, whose five inner frames are the true frames."""
    check_split(known, split)
    marker = f"{known.config['prefix']}_{split}list.txt"
    root = find_root(data_dir, (known.config["folder"],), marker)
    if root is None:
        return None

    def sample(key: str) -> Sample:
        folder = root / "sequences" / key
        numbers = range(1, 1 + known.config["frames"])
        return Sample.evenly(key, [Picture(folder / f"im{number}.png") for number in numbers])

    keys = [words[0] for words in listed(root / marker)]
    return Benchmark(known.name, keys, sample, known.published if split == "test" else None)


def ucf101(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens UCF101: folders that hold the two frames, the true middle frame, and results."""
    root = find_root(
        data_dir,
        ("ucf101_interp_ours", "UCF101_results/ucf101_interp_ours"),
        "*/frame_01_gt.png",
    )
    if root is None:
        return None

    def sample(folder: Path) -> Sample:
        names = ("frame_00.png", "frame_01_gt.png", "frame_02.png")
        return Sample.evenly(folder.name, [Picture(folder / name) for name in names])

    folders = pictures.in_order(path.parent for path in root.glob("*/frame_01_gt.png"))
    return Benchmark(known.name, folders, sample, known.published)


def snu_film(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens SNU-FILM: triplets in a list whose paths begin with a folder of its authors."""
    marker = f"test-{known.config['level']}.txt"
    above = ("", "SNU-FILM/", "SNU_FILM/")
    places = [f"{folder}{lists}" for folder in above for lists in ("", "eval_modes", "eval_mode")]
    found = find_root(data_dir, places, marker)
    if found is None:
        return None
    triplets = [[_below_test(word) for word in words[:3]] for words in listed(found / marker)]
    first = triplets[0][0]
    around = (found, found.parent)
    below = ("test", "", "data/SNU-FILM/test")
    roots = [
        root / folder for root in around for folder in below if (root / folder / first).exists()
    ]
    if not roots:
        raise InputError(f"{found / marker} names {first}, which is not there; {known.source}")

    def sample(paths: list[str]) -> Sample:
        name = Path(paths[0]).with_suffix("").as_posix()
        return Sample.evenly(name, [Picture(roots[0] / path) for path in paths])

    return Benchmark(known.name, triplets, sample, known.published)


def middlebury(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens the scenes of Middlebury "Other" that have a true middle frame."""
    layouts = (("other-data", "other-gt-interp"), ("input", "gt"), ("", ""))
    scenes = {
        layout: sorted(path.parent.name for path in (data_dir / layout[1]).glob("*/frame10i11.png"))
        for layout in layouts
    }
    layout = next((layout for layout in layouts if scenes[layout]), None)
    if layout is None:
        return None
    frames, truth = layout

    def sample(scene: str) -> Sample:
        places = ((frames, "frame10"), (truth, "frame10i11"), (frames, "frame11"))
        return Sample.evenly(
            scene, [Picture(data_dir / folder / scene / f"{name}.png") for folder, name in places]
        )

    return Benchmark(known.name, scenes[layout], sample, known.published)


def xiph(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens Xiph: every second of 100 frames per clip, halved to 2K or cropped from 4K."""
    root = find_root(data_dir, ("netflix",), "*-001.png")
    if root is None:
        return None
    change = _halved if known.config["resolution"] == "2k" else _center

    def sample(key: tuple[str, int]) -> Sample:
        clip, middle = key
        paths = [root / f"{clip}-{number:03d}.png" for number in range(middle - 1, middle + 2)]
        return Sample.evenly(f"{clip}/{middle:03d}", [Picture(path, change) for path in paths])

    clips = [clip for clip in XIPH_CLIPS if (root / f"{clip}-001.png").exists()]
    middles = range(2, XIPH_FRAMES - 1, 2)
    keys = [(clip, middle) for clip in clips for middle in middles]
    return Benchmark(known.name, keys, sample, known.published)


def atd12k(known: Known, data_dir: Path, split: str = "test") -> Benchmark | None:
    """Opens ATD-12K: folders with three frames of animation."""
    check_split(known, split)
    folders = {"train": ("train_10k",), "test": ("test_2k_540p", "test_2k_original")}[split]
    folders += tuple(f"datasets/{folder}" for folder in folders)
    root = find_root(data_dir, folders, "*/frame1.*")
    if root is None:
        return None

    def sample(first: Path) -> Sample:
        paths = [first.with_name(f"frame{number}{first.suffix}") for number in (1, 2, 3)]
        return Sample.evenly(first.parent.name, [Picture(path) for path in paths])

    keys = sorted(root.glob("*/frame1.*"))
    return Benchmark(known.name, keys, sample, known.published if split == "test" else None)


def _below_test(path: str) -> str:
    """Returns the part of a listed path below "test", as in data/SNU-FILM/test/GOPRO_test/... ."""
    return path.partition("/test/")[2] or path


def _halved(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, FULL_HD_WIDE, interpolation=cv2.INTER_AREA)


def _center(image: np.ndarray) -> np.ndarray:
    return image[540:-540, 1024:-1024]
