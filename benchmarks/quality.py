"""Measures the settings of `--quality`: removed frames of real clips are rendered and compared.

    python benchmarks/quality.py --clips=FOLDER --clips=OTHER --pairs=middlebury --split=NAME
    python benchmarks/quality.py --clips=FOLDER --only=juggle,bedroom --split=NAME

From each clip, reduced to a width of 640 pixels, near triplets take every other frame, and far
triplets the middle of two frames that are six apart. If FFmpeg is installed, its filter
minterpolate is measured as well; it also sees the frames before and after, at the same distance.
Middlebury's pairs have none, so it sees each of their frames twice, which does not do it justice.

A split is a set of whole clips, so that settings can be chosen on one split and measured on
another; its name is that of the files in benchmarks/results.
"""

import csv
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import minterpolate
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

# The frames before, around and after the removed one.
Window = list[np.ndarray]
Render = Callable[[Window], np.ndarray]


def main() -> None:
    """Writes the scores of every triplet as CSV, and their means as Markdown."""
    compared = {"RIFE 4.0": registry.ModelSpec(COMPARED)}
    methods: dict[str, Render] = {"average": average}
    if minterpolate.installed():
        methods[minterpolate.NAME] = by_minterpolate
    for name, spec in (registry.QUALITIES | compared).items():
        methods[f"{name} ({spec.label})"] = rendered_by(spec)
    rows = []
    for kind, clip, truth, window in triplets():
        for method, render in methods.items():
            frame = render(window)
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


def triplets() -> Iterator[tuple[str, str, np.ndarray, Window]]:
    """Yields every removed frame with its kind, the name of its clip, and the frames around it."""
    for clip in (clip for folder in FLAGS.clips for clip in clips.find(folder)):
        if not FLAGS.only or Path(clip.name).stem in FLAGS.only:
            frames = reduced(clip.path)
            for kind, step in STEPS.items():
                for number in range(FLAGS[kind].value):
                    middle = START + APART * number + step
                    window = [frames[at] for at in around(middle, step) if at < len(frames)]
                    if len(window) == 4:
                        yield kind, Path(clip.name).stem, frames[middle], window
    for folder in sorted(Path(FLAGS.pairs).iterdir()) if FLAGS.pairs else ():
        names = ("frame10", "frame10i11", "frame11")
        found = [cv2.imread(str(folder / f"{name}.png")) for name in names]
        first, truth, last = (frame[..., ::-1].copy() for frame in found)
        yield "middlebury", folder.name, truth, [first, first, last, last]


def around(middle: int, step: int) -> range:
    """Returns the numbers of two frames before and two after, of a clip with frames removed."""
    return range(middle - 3 * step, middle + 3 * step + 1, 2 * step)


def reduced(path: str) -> list[np.ndarray]:
    """Returns the first frames of a clip, as many as are used, at the width of the comparison."""
    wanted = START + APART * (max(FLAGS.near, FLAGS.far, 1) - 1) + 4 * max(STEPS.values()) + 1
    frames = []
    for shown in islice(open_source([path]).frames(), wanted):
        frame = np.ascontiguousarray(shown.image[..., :3])
        height = round(frame.shape[0] * WIDTH / frame.shape[1])
        frames.append(cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA))
    return frames


def average(window: Window) -> np.ndarray:
    """Returns the mean of both frames, which is right where nothing moves."""
    _, first, last, _ = window
    return np.rint((first.astype(np.float32) + last) / 2).astype(first.dtype)


def by_minterpolate(window: Window) -> np.ndarray:
    """Returns the frame that FFmpeg's motion compensation renders in the middle of a window."""
    height, width, _ = window[0].shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    source = [*raw, "-s", f"{width}x{height}", "-r", "1", "-i", "-"]
    # The filter needs a frame after the last one that counts.
    frames = np.stack([*window, window[-1]])
    command_line = ["ffmpeg", "-v", "error", *source, "-vf", minterpolate.filter_to(2), *raw, "-"]
    done = subprocess.run(command_line, input=frames.tobytes(), capture_output=True, check=True)
    rendered = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    # The filter drops frames at the beginning, so the middle is found by the frame before it.
    _, first, _, _ = window
    gaps = [np.abs(frame.astype(int) - first).mean() for frame in rendered]
    return rendered[int(np.argmin(gaps)) + 1]


def rendered_by(spec: registry.ModelSpec) -> Render:
    """Returns a function that renders the middle frame with a network, which is loaded once."""
    network = spec.load_interpolator()
    return lambda window: network.interpolate(window[1], window[2])[0]


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
