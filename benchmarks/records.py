"""Compares patches per second and core: tools/create_records.py and a plain single-process loop.

    python benchmarks/records.py --videos=FOLDER [--flow=simple] [--rounds=3]

The plain loop does what the original project did. It takes a random tenth of the positions in each
video, with three consecutive frames each, and skips those where the histograms of the first and the
third frame differ widely. From each triple it cuts twenty random windows of 150x150, and keeps each
with the probability flow / 25, where flow is the length of the mean flow vector between the first
and the third frame. It is faster than the original, because it reads each video once and in order.
The original used SimpleFlow, which opencv-contrib-python provides; by default DIS, which is far
faster and also used by tfvfi, takes its place.

Both write JPEG of quality 95. Time is CPU time of all threads and processes. Each runs in a process
of its own, in turns, and medians are reported. The plain loop stops after --seconds of CPU time,
because its rate does not change.
"""

import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from absl import flags

from tfvfi.cli import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string("videos", "samples", "folder of videos", flag_values=FLAGS)
flags.DEFINE_enum("flow", "dis", ["dis", "simple"], "of the plain loop", flag_values=FLAGS)
flags.DEFINE_float("seconds", 20, "after which the plain loop stops", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 3, "runs of each", 1, flag_values=FLAGS)
SIZE, WINDOWS, QUALITY = 150, 20, 95
SHARE, CUT, FULL_MOTION = 0.1, 100_000, 25


class Made(NamedTuple):
    """The number of patches that one run produced, and its cost."""

    patches: int
    megabytes: float
    seconds: float
    peak_megabytes: float


def main() -> None:
    """Prints one line per form."""
    if FLAGS.flow == "simple" and not hasattr(cv2, "optflow"):
        raise InputError("SimpleFlow is in opencv-contrib-python-headless: install it instead")
    forms = {"plain": (plain, FLAGS.flow, FLAGS.seconds), "tfvfi": (ours,)}
    runs: dict[str, list[Made]] = {form: [] for form in forms}
    for _ in range(FLAGS.rounds):
        for form, (work, *settings) in forms.items():
            runs[form].append(alone(work, FLAGS.videos, *settings))
    middle = {form: sorted(made, key=_rate)[len(made) // 2] for form, made in runs.items()}
    for form, made in middle.items():
        print(
            f"{form}: {made.patches} patches, {made.megabytes:.1f} MB in {made.seconds:.1f} s of a "
            f"core, {_rate(made):.1f} patches/s; peak memory {made.peak_megabytes:.0f} MB"
        )
    print(
        f"{_rate(middle['tfvfi']) / _rate(middle['plain']):.1f} times as many per second and core"
    )


def _rate(made: Made) -> float:
    return made.patches / made.seconds


def alone(work: Callable[..., int], *settings) -> Made:
    """Runs the work in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, work, *settings).result()


def _measured(work: Callable[..., int], *settings) -> Made:
    with tempfile.TemporaryDirectory() as folder:
        before = _seconds()
        patches = work(*settings, f"{folder}/records")
        seconds = _seconds() - before
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.tfrecord*"))
    return Made(patches, size / 1e6, seconds, max(usage.ru_maxrss for usage in _usage()) / 1024)


def _seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _usage())


def _usage() -> list:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def ours(videos: str, output: str) -> int:
    """Creates records with tfvfi."""
    from tfvfi.data import making
    from tfvfi.data.clip_parts import Taking

    # Without a practical limit, because the plain loop has none either.
    taking = Taking(patches_per_video=10**6, encoding="jpeg", quality=QUALITY)
    made = making.create(videos, output, taking, processes=1)
    return sum(shard.examples for split in made.splits for shard in made.shards(split))


def plain(videos: str, flow: str, most_seconds: float, output: str) -> int:
    """Creates records with the plain loop."""
    import tensorflow as tf

    # The time to import TensorFlow is excluded.
    start = time.process_time()
    cv2.setNumThreads(1)
    estimate = simple_flow if flow == "simple" else dis_flow
    draw, patches = random.Random(0), 0
    paths = sorted(os.path.join(videos, name) for name in os.listdir(videos))
    draw.shuffle(paths)
    os.makedirs(output)
    for path in paths:
        with tf.io.TFRecordWriter(f"{output}/{os.path.basename(path)}.tfrecord") as writer:
            for frames in triples(path, draw):
                if far_apart(frames[0], frames[2]):
                    continue
                for window in windows(frames, draw):
                    length = np.linalg.norm(np.nanmean(estimate(window[0], window[2]), (0, 1)))
                    if draw.random() < length / FULL_MOTION:
                        writer.write(example(tf, window))
                        patches += 1
                    if time.process_time() - start > most_seconds:
                        return patches
    return patches


def triples(path: str, draw: random.Random) -> Iterator[list[np.ndarray]]:
    """Yields three consecutive frames at a random tenth of all positions."""
    video = cv2.VideoCapture(path)
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(draw.sample(range(max(0, count - 2)), int(max(0, count - 2) * SHARE)))
    held: list[np.ndarray] = []
    for number in range(count):
        found, frame = video.read()
        if not found:
            return
        held = [*held[-2:], frame]
        if number - 2 in wanted:
            yield held


def far_apart(first: np.ndarray, last: np.ndarray) -> bool:
    """Returns whether the histograms indicate a cut."""
    counts = [np.histogram(frame, 255, (0, 255))[0] for frame in (first, last)]
    return np.linalg.norm(counts[0] - counts[1]) > CUT


def windows(frames: list[np.ndarray], draw: random.Random) -> Iterator[list[np.ndarray]]:
    """Yields random patches of three frames."""
    height, width = frames[0].shape[:2]
    for _ in range(WINDOWS if min(height, width) >= SIZE else 0):
        top, left = draw.randint(0, height - SIZE), draw.randint(0, width - SIZE)
        yield [frame[top : top + SIZE, left : left + SIZE] for frame in frames]


def simple_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Estimates SimpleFlow as in the original: three layers, blocks of three, flow up to four."""
    return cv2.optflow.calcOpticalFlowSF(first, second, 3, 3, 4)


def dis_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Estimates flow as tfvfi does."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in (first, second)]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    return dis.calc(*grey, None)


def example(tf, window: list[np.ndarray]) -> bytes:
    """Serializes a record in the form of the original project."""
    feature = {
        f"img{number}": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[tf.io.encode_jpeg(image, quality=QUALITY).numpy()])
        )
        for number, image in enumerate(window, start=1)
    }
    for name in ("height", "width"):
        feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[SIZE]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


if __name__ == "__main__":
    command.run(main, FLAGS)
