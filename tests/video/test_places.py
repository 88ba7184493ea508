"""Odd names, links, pipes and devices: one sentence each, and nothing of the user's is replaced."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.errors import InputError
from tfvfi.video import interpolate_video, many

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "in.mkv", [grey(level) for level in (0, 40, 80)])


def refused(source, output, said, **settings):
    with pytest.raises(InputError, match=said):
        interpolate_video(source, output, Fade(), **settings)


def test_inputs_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe.png")
    out = tmp_path / "out.mkv"
    refused(tmp_path / "pipe.mp4", out, r"pipe\.mp4 is a named pipe and not a file")
    refused([tmp_path / "pipe.png"] * 2, tmp_path / "out", "is a named pipe")
    refused("/dev/zero", out, "/dev/zero is a device and not a file")
    refused("/dev/null", out, "/dev/null is a device and not a file")
    refused(tmp_path / ("n" * 300 + ".mp4"), out, "cannot be opened: File name too long")
    refused("a\0b.mp4", out, "is no name of a file")
    refused(tmp_path / "none.mp4" / "deeper.mp4", out, "there is no file")
    assert not out.exists()


def test_a_folder_that_holds_a_pipe_does_not_hang(tmp_path):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), grey(0))
    os.mkfifo(tmp_path / "in" / "1.png")
    refused(tmp_path / "in", tmp_path / "out", r"1\.png is a named pipe")


def test_long_names_in_a_list_of_videos(tmp_path, clip):
    with pytest.raises(InputError, match="File name too long"):
        many.interpolate_all(["x" * 300], tmp_path / "out.mp4", Fade())
    with pytest.raises(InputError, match="an ending without a name"):
        many.interpolate_all([clip, clip], ".mp4", Fade())


def test_the_input_is_never_the_output(tmp_path, clip):
    held = clip.read_bytes()
    os.link(clip, tmp_path / "same.mkv")
    for output in (clip, tmp_path / "same.mkv", tmp_path / "." / "in.mkv"):
        refused(clip, output, "is what is read, and is never replaced", overwrite=True)
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number:08d}.png"), grey(40 * number))
    refused(folder, folder, "is what is read", overwrite=True)
    assert clip.read_bytes() == held and len(os.listdir(folder)) == 2


def test_links_pipes_and_devices_are_never_replaced(tmp_path, clip):
    target = tmp_path / "precious.mkv"
    target.write_text("precious")
    link, dangling, pipe = (tmp_path / name for name in ("l.mkv", "d.mkv", "p.mkv"))
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "nowhere.mkv")
    os.mkfifo(pipe)
    for overwrite in (False, True):
        refused(clip, link, r"l\.mkv is a link to .*precious\.mkv", overwrite=overwrite)
        refused(clip, dangling, r"d\.mkv is a link", overwrite=overwrite)
        refused(clip, pipe, r"p\.mkv is a named pipe", overwrite=overwrite)
        refused(clip, "/dev/null", "/dev/null is a device", overwrite=overwrite)
    assert target.read_text() == "precious" and link.is_symlink() and pipe.is_fifo()


@pytest.mark.parametrize("name", [".mp4", ".GIF", ".webm"])
def test_an_ending_is_no_name(tmp_path, clip, name):
    refused(clip, tmp_path / name, "an ending without a name")
    assert sorted(os.listdir(tmp_path)) == ["in.mkv"]


def test_names_as_long_as_the_system_takes(tmp_path, clip):
    output = tmp_path / ("n" * 251 + ".mkv")
    assert interpolate_video(clip, output, Fade(), resume=True) == 6
    assert len(read(output)[0]) == 6 and len(os.listdir(tmp_path)) == 2
    refused(clip, tmp_path / ("n" * 252 + ".mkv"), "File name too long")


def test_the_command_refuses_a_device_at_once(tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "interpolate.py"), "--input=/dev/zero"]
    done = subprocess.run(
        [*command, f"--output={tmp_path / 'out.mp4'}"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "/dev/zero is a device" in done.stderr
