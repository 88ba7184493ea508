"""Work in a process of its own, slow enough to be interrupted."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests import signals
from tests.data.small_videos import scene
from tests.video.clips import Fade, packets, write
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video

ROOT = Path(__file__).parents[2]
FRAMES = 150

SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from absl import flags
from tests.video.clips import Fade
from tfvfi.cli import command
from tfvfi.video import Encoding, interpolate_video

class Slow(Fade):
    def interpolate(self, a, b, times=(0.5,)):
        time.sleep({seconds})
        return super().interpolate(a, b, times)

def main():
    print("started", flush=True)
    interpolate_video({source!r}, {output!r}, Slow(), 2, encoding=Encoding({codec!r}),
                      resume={resume}, scene_cuts="mix")

command.run(main, flags.FlagValues(), ["tool"])
"""


def start(source, output, resume=True, codec=None, seconds=0.01):
    code = SCRIPT.format(
        root=str(ROOT),
        source=str(source),
        output=str(output),
        resume=resume,
        codec=codec,
        seconds=seconds,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=signals.heard,
    )
    assert process.stdout.readline() == "started\n", process.stderr.read()
    return process


def film(folder, frames=FRAMES):
    """Colored frames that the network has to interpolate, with sound."""
    images = scene(frames, step=1, size=(96, 128))
    return write(folder / "in.mp4", images, 25, None, "libx264", "yuv420p", 0, 0)


def whole(source, folder, name, codec=None):
    """What unbroken work makes."""
    output = folder / "whole" / name
    settings = {"encoding": Encoding(codec), "scene_cuts": "mix", "progress": False}
    interpolate_video(source, output, Fade(), 2, resume=True, **settings)
    return output


def same(ours, theirs):
    """Whether every frame, time and packet of sound agrees."""
    made = [list(open_source([path])) for path in (ours, theirs)]
    assert len(made[0]) == len(made[1])
    for a, b in zip(*made, strict=True):
        assert a.time == b.time
        np.testing.assert_array_equal(a.image, b.image)
    if ours.suffix in (".mp4", ".mkv"):
        assert packets(ours) == packets(theirs)
