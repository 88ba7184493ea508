"""Measures the settings of `--quality`: removed frames of real clips are rendered and compared.

    python benchmarks/quality.py --clips=FOLDER --clips=OTHER --pairs=middlebury --split=NAME
    python benchmarks/quality.py --clips=FOLDER --only=juggle,bedroom --split=NAME

From each clip, reduced to a width of 640 pixels, near triplets take every other frame, and far
triplets the middle of two frames that are six apart. A split is a set of whole clips, so that
settings can be chosen on one split and measured on another; its name is that of the files in
benchmarks/results.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from absl import flags

from tfvfi import registry
from tfvfi.cli import command
from tfvfi.errors import InputError
from tfvfi.evaluation.measures import psnr, ssim
from tfvfi.media import clips
from tfvfi.media.source import open_source

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string("clips", [], "a folder of clips; repeatable", flag_values=FLAGS)
flags.DEFINE_list("only", [], "names of clips, without their endings", flag_values=FLAGS)
flags.DEFINE_string("pairs", None, "Middlebury's folder of true frames", flag_values=FLAGS)
flags.DEFINE_integer("near", 2, "near triplets of a clip", 0, flag_values=FLAGS)
flags.DEFINE_integer("far", 1, "far triplets of a clip", 0, flag_values=FLAGS)
flags.DEFINE_string("split", None, "a name for this choice of clips", flag_values=FLAGS)
flags.DEFINE_string("note", "", "a sentence about the split for the table", flag_values=FLAGS)
flags.DEFINE_string("results", "benchmarks/results", "where tables go", flag_values=FLAGS)
flags.mark_flag_as_required("split", flag_values=FLAGS)

# Distance from a triplet's first frame to its middle; start of a clip's first triplet, and distance
# to the next ones.
STEPS = {"near": 1, "far": 3}
START, APART = 10, 15
WIDTH = 640
COMPARED = "rife_v4_0"

Triplet = tuple[np.ndarray, np.ndarray, np.ndarray]
Render = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    """Writes the scores of every triplet as CSV, and their means as Markdown."""
    methods = {"average": average} | {
        f"{name} ({spec.label})": rendered_by(spec)
        for name, spec in (registry.QUALITIES | {"RIFE 4.0": registry.ModelSpec(COMPARED)}).items()
    }
    rows = []
    for kind, clip, (first, truth, last) in triplets():
        for method, render in methods.items():
            frame = render(first, last)
            rows.append((kind, clip, method, psnr(frame, truth), ssim(frame, truth)))
        print(kind, clip, " ".join(f"{row[3]:.2f}" for row in rows[-len(methods) :]), flush=True)
    if not rows:
        raise InputError("nothing was measured; name `clips` or `pairs`")
    folder = Path(FLAGS.results)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"quality_{FLAGS.split}.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "clip", "method", "psnr", "ssim"))
        writer.writerows((*row[:3], f"{row[3]:.3f}", f"{row[4]:.4f}") for row in rows)
    (folder / f"quality_{FLAGS.split}.md").write_text(table(rows))


def triplets() -> Iterator[tuple[str, str, Triplet]]:
    """Yields every triplet with its kind and the name of its clip."""
    for clip in (clip for folder in FLAGS.clips for clip in clips.find(folder)):
        if not FLAGS.only or Path(clip.name).stem in FLAGS.only:
            frames = reduced(clip.path)
            for kind, step in STEPS.items():
                for number in range(FLAGS[kind].value):
                    part = frames[APART * number :: step][:3]
                    if len(part) == 3:
                        yield kind, Path(clip.name).stem, tuple(part)
    for folder in sorted(Path(FLAGS.pairs).iterdir()) if FLAGS.pairs else ():
        names = ("frame10", "frame10i11", "frame11")
        found = [cv2.imread(str(folder / f"{name}.png")) for name in names]
        yield "middlebury", folder.name, tuple(frame[..., ::-1].copy() for frame in found)


def reduced(path: str) -> list[np.ndarray]:
    """Returns a clip's frames that triplets may use, at the width of the comparison."""
    wanted = APART * (max(FLAGS.near, FLAGS.far, 1) - 1) + 2 * max(STEPS.values()) + 1
    frames = []
    for shown in islice(open_source([path]).frames(), START, START + wanted):
        frame = np.ascontiguousarray(shown.image[..., :3])
        height = round(frame.shape[0] * WIDTH / frame.shape[1])
        frames.append(cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA))
    return frames


def average(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Returns the mean of both frames, which is right where nothing moves."""
    return np.rint((first.astype(np.float32) + last) / 2).astype(first.dtype)


def rendered_by(spec: registry.ModelSpec) -> Render:
    """Returns a function that renders the middle frame with a network, which is loaded once."""
    network = spec.load_interpolator()
    return lambda first, last: network.interpolate(first, last)[0]


def table(rows: list[tuple[str, str, str, float, float]]) -> str:
    """Formats the means over clips of each kind, and the worst clip's gap to the average."""
    scores: dict[str, dict[str, dict[str, list]]] = {}
    for kind, clip, method, *measured in rows:
        by_clip = scores.setdefault(kind, {}).setdefault(method, defaultdict(list))
        by_clip[clip].append(measured)
    lines = [
        f"# Quality: {FLAGS.split}",
        "",
        "Written by `benchmarks/quality.py`; PSNR in dB / SSIM, the means over clips. "
        "Worst: by how many dB the PSNR of a clip is above that of the average of both frames, "
        f"where that is least. {FLAGS.note}".rstrip(),
    ]
    for kind, methods in scores.items():
        means = {
            method: {clip: np.mean(each, axis=0) for clip, each in by_clip.items()}
            for method, by_clip in methods.items()
        }
        plain = means["average"]
        count = sum(map(len, methods["average"].values()))
        lines += ["", f"## {kind.capitalize()}: {count} triplets of {len(plain)} clips", ""]
        lines += ["| method | PSNR | SSIM | worst |", "|---|---|---|---|"]
        for method, by_clip in means.items():
            psnr_mean, ssim_mean = np.mean(list(by_clip.values()), axis=0)
            worst = min(by_clip[clip][0] - plain[clip][0] for clip in plain)
            lines.append(f"| {method} | {psnr_mean:.2f} | {ssim_mean:.4f} | {worst:+.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    command.run(main, FLAGS)
