"""Interrupted twenty times in 1280x720 and resumed each time: the same video, and nothing left."""

import os
import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from tests import signals
from tests.data.small_videos import scene
from tests.video.clips import write
from tests.video.interrupting import same

ROOT = Path(__file__).parents[2]
FRAMES, TIMES = 9, 20
INTERRUPTED = "tfvfi: interrupted; nothing half-written was left\n"


def start(source: Path, output: Path) -> subprocess.Popen:
    """The command, which interpolates with a network of its own."""
    flags = [f"--input={source}", f"--output={output}", "--model=ifrnet_s", "--resume"]
    return subprocess.Popen(
        [sys.executable, "tools/interpolate.py", *flags],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=signals.heard,
    )


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> tuple[Path, Path, float]:
    """A film with sound, what unbroken work makes of it, and the seconds that this takes."""
    folder = tmp_path_factory.mktemp("unbroken")
    source = folder / "in.mp4"
    write(
        source,
        scene(FRAMES, size=(720, 1280)),
        codec="libx264",
        pixel_format="yuv420p",
        beep_at=Fraction(0),
    )
    began = time.monotonic()
    process = start(source, folder / "out.mp4")
    _, said = process.communicate()
    assert process.returncode == 0, said
    return source, folder / "out.mp4", time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_interrupted_twenty_times_in_1280x720_it_is_the_same(unbroken, tmp_path, number, code):
    source, expected, seconds = unbroken
    output, draw = tmp_path / "out.mp4", random.Random(21)
    interrupted = 0
    # Work that is complete begins anew, and the last interruption is followed by a whole run.
    while interrupted < TIMES or not output.exists():
        output.unlink(missing_ok=True)
        process = start(source, output)
        if interrupted < TIMES:
            # From half a second on, the command handles signals.
            time.sleep(draw.uniform(0.5, seconds))
            process.send_signal(number)
        sent = time.monotonic()
        _, said = process.communicate(timeout=300)
        left = os.listdir(tmp_path)
        if output.exists():
            # A signal that arrives while Python shuts down ends it by itself.
            assert process.returncode in (0, code, -number), said
            same(output, expected)
            assert left == ["out.mp4"]
            continue
        interrupted += 1
        assert process.returncode == code and left in ([], [".out.mp4.parts"]), said
        if number == signal.SIGTERM:
            assert said.endswith(INTERRUPTED) and "Traceback" not in said
            # Two seconds on a machine that does nothing else.
            assert time.monotonic() - sent < 6
