"""Signals and kills leave clean folders."""

import os
import signal
import time

import pytest

from tests.video.clips import Fade
from tests.video.interrupting import film, start
from tfvfi.video import interpolate_video


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["out.mkv", "out"])
def test_ctrl_c_leaves_a_clean_folder(tmp_path, resume, name):
    source = film(tmp_path)
    process = start(source, tmp_path / name, resume=resume, seconds=0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130 and "interrupted" in said and "Traceback" not in said
    # Pictures are finished one by one; of a video frames are kept.
    parts = {f".{name}.parts"} if resume else set()
    assert set(os.listdir(tmp_path)) == {"in.mp4"} | parts


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_work_while_the_network_computes(tmp_path, number, code):
    """Eight frames of a pair are one call that may take minutes; nobody waits for its end."""
    source = film(tmp_path, 6)
    process = start(source, tmp_path / "out.mkv", resume=False, seconds=30)
    while not (tmp_path / ".out.mkv.parts" / "out.mkv").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    sent = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (
        process.returncode == code and said == "tfvfi: interrupted; nothing half-written was left\n"
    )
    # Two seconds on a machine that does nothing else.
    assert time.monotonic() - sent < 6
    assert os.listdir(tmp_path) == ["in.mp4"]


def test_kill_leaves_no_output_and_the_next_run_clears_up(tmp_path):
    source = film(tmp_path)
    process = start(source, tmp_path / "out.mkv", resume=False, seconds=0.05)
    time.sleep(1.0)
    process.kill()
    process.communicate()
    assert not (tmp_path / "out.mkv").exists()
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=1)
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "out.mkv"]
