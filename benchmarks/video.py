"""Measures the video pipeline: memory, the network's share of the time, and a huge frame.

    python benchmarks/video.py --what=memory
    python benchmarks/video.py --what=share --input=clip_720p.mp4 --model=ifrnet_s --weights=FILE
    python benchmarks/video.py --what=large --model=ifrnet_s

The weights affect only the pictures, not these figures; by default they are fresh.
"""

import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from absl import flags

import tfvfi
from tfvfi import registry
from tfvfi.cli import command
from tfvfi.media.colors import EXACT
from tfvfi.media.source import Video

FLAGS = flags.FlagValues()
flags.DEFINE_enum("what", "memory", ["memory", "share", "large"], "to measure", flag_values=FLAGS)
flags.DEFINE_string("input", None, "a clip for share; else one is drawn", flag_values=FLAGS)
flags.DEFINE_string("model", "flow_interpolation", "the network", flag_values=FLAGS)
flags.DEFINE_string("weights", None, "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_integer("frames", 24, "source frames for share and memory", 2, flag_values=FLAGS)
flags.DEFINE_list("size", [7680, 4320], "width and height for large", flag_values=FLAGS)
flags.DEFINE_string("tile", "auto", "as in tools/interpolate.py", flag_values=FLAGS)
RATE = Fraction(24000, 1001)


class Timed:
    """Wraps a network and measures the time that is spent in it."""

    def __init__(self, network):
        self.network = network
        self.name = network.name
        self.seconds = 0.0

    def interpolate(self, a, b, times):
        """Returns the network's frames."""
        start = time.perf_counter()
        try:
            return self.network.interpolate(a, b, times)
        finally:
            self.seconds += time.perf_counter() - start


def main() -> None:
    """Runs one measurement."""
    with tempfile.TemporaryDirectory() as scratch:
        {"memory": memory, "share": share, "large": large}[FLAGS.what](Path(scratch))


def memory(scratch: Path) -> None:
    """Prints the peak memory of a separate process, for a short and a long video."""
    for frames in (100, 2000):
        clip = drawn(scratch / f"{frames}.mp4", frames, (96, 160), deep=False)
        code = (
            "import resource, tfvfi; "
            f"tfvfi.interpolate_video({str(clip)!r}, {str(scratch / 'out.mp4')!r}, "
            f"{FLAGS.model!r}, weights={weights()!r}, overwrite=True, progress=False); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print(f"{frames} frames: {done.stdout.strip() or done.stderr} MB at most")


def share(scratch: Path) -> None:
    """Prints the network's share of the wall time, after one pair as a warm-up."""
    clip = Path(FLAGS.input) if FLAGS.input else drawn(scratch / "in.mp4", 24, (720, 1280), False)
    network = registry.load_interpolator(FLAGS.model, weights())
    settings = {"duration": FLAGS.frames / Video(clip).rate, "progress": False}
    warm = {**settings, "duration": 2 / Video(clip).rate}
    tfvfi.interpolate_video(clip, scratch / "warm.mp4", network, 2, **warm)
    timed = Timed(network)
    start = time.perf_counter()
    frames = tfvfi.interpolate_video(clip, scratch / "out.mp4", timed, 2, **settings)
    wall = time.perf_counter() - start
    height, width = Video(clip).size
    print(
        f"{frames} frames of {width}x{height} in {wall:.1f} s, {frames / wall:.2f} a second; "
        f"in the network {timed.seconds:.1f} s, {timed.seconds / wall:.1%}"
    )


def large(scratch: Path) -> None:
    """Renders one frame between two huge ones; prints seconds and this process's peak memory."""
    width, height = map(int, FLAGS.size)
    for number in range(2):
        image = picture((height, width), number * 8).astype(np.uint8)
        cv2.imwrite(str(scratch / f"{number}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    network = registry.load_interpolator(FLAGS.model, weights())
    start = time.perf_counter()
    tfvfi.interpolate_video(
        scratch / "%d.png", scratch / "out.mp4", network, 2, tile=FLAGS.tile, progress=False
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{width}x{height}: {seconds:.0f} s, {peak:.2f} GB at most")


def weights() -> str | None:
    """Returns the named file, "default" for a network without weights, or None for fresh ones."""
    return FLAGS.weights or (None if registry.preset(FLAGS.model).has_weights else "default")


def picture(size: tuple[int, int], shift: int) -> np.ndarray:
    """Returns colored clouds, shifted to the right."""
    noise = np.random.default_rng(0).uniform(20, 235, (9, 16, 3))
    clouds = cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.roll(clouds.clip(16, 240), shift, axis=1)


def drawn(path: Path, frames: int, size: tuple[int, int], deep: bool) -> Path:
    """Writes a clip of moving clouds at 23.976 frames per second."""
    codec, form = ("ffv1", "yuv444p12le") if deep else ("libx264", "yuv420p")
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, options={} if deep else {"crf": "4"})
        stream.height, stream.width = size
        stream.pix_fmt, stream.codec_context.colorspace = form, 1
        for number in range(frames):
            image = picture(size, 4 * number)
            image = (image * 257).astype(np.uint16) if deep else image.astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb48le" if deep else "rgb24")
            frame = frame.reformat(format=form, dst_colorspace=1, interpolation=EXACT)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    command.run(main, FLAGS)
