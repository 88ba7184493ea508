"""What is decided and reported before the work begins: tiles, memory, counts and hours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.video.clips import Fade, grey, write
from tfvfi.errors import ArgumentError
from tfvfi.video import Treatment, interpolate_video, many
from tfvfi.video.memory import Frames, tile_side

ROOT = Path(__file__).parents[2]


class Hungry(Fade):
    """Takes much memory."""

    bytes_per_pixel = 3000


class Modest(Fade):
    bytes_per_pixel = 500


@pytest.mark.parametrize("size", [(1744, 4096), (2160, 3840), (4320, 7680), (6000, 10_000)])
@pytest.mark.parametrize("memory", [2.0, 3.0, 8.0])
@pytest.mark.parametrize("network", [Hungry(), Modest(), Fade()])
def test_tiles_are_as_large_as_memory_allows(size, memory, network):
    frames = Frames(size)
    side = tile_side("auto", frames, network, memory)
    if side is None:
        assert frames.needed(network, None) <= memory * 2**30
    else:
        assert frames.needed(network, None) > memory * 2**30
        assert side == 256 or frames.needed(network, side) <= memory * 2**30
        assert side % 64 == 0 and side < max(size)


def test_what_was_found_to_take_six_gigabytes_is_tiled():
    assert tile_side("auto", Frames((1744, 4096)), Modest(), 3.0) is not None
    assert tile_side("auto", Frames((720, 1280)), Modest(), 3.0) is None
    assert tile_side("auto", Frames((1080, 1920)), Modest(), 3.0) is None


def test_tiles_on_request():
    assert tile_side("off", Frames((4320, 7680)), Hungry(), 1.0) is None
    assert tile_side("64", Frames((50, 60)), Hungry(), 3.0) is None
    assert tile_side(64, Frames((50, 70)), Hungry(), 3.0) == 64


def test_few_tiled_frames_are_mixed_at_once(tmp_path):
    """At a factor of 9 eight floating-point frames of a pair would not fit."""
    source = write(tmp_path / "in.mkv", [grey(0, (128, 192)), grey(200, (128, 192))])
    calls = []

    class Counts(Fade):
        def interpolate(self, frame0, frame1, times=(0.5,)):
            calls.append(len(times))
            return super().interpolate(frame0, frame1, times)

    from tfvfi.video import memory

    before, memory.BYTES_MIXED = memory.BYTES_MIXED, 128 * 192 * 12 * 3
    try:
        interpolate_video(source, tmp_path / "out.mkv", Counts(), 9, tile=64, scene_cuts="mix")
    finally:
        memory.BYTES_MIXED = before
    assert max(calls) == 3


def test_a_dry_run_reports_and_makes_nothing(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(0, (64, 96))] * 5)
    output = tmp_path / "new" / "out.mp4"
    (made,) = many.plan_all([source], output, Hungry(), Treatment(factor=4))
    assert (made.frames, made.size, made.side, made.rate) == (20, (64, 96), None, 100)
    assert "about 20 frames of 96x64, 100.000 a second, interpolated whole" in str(made)
    assert os.listdir(tmp_path) == ["in.mkv"]
    command = [sys.executable, "tools/interpolate.py", f"--input={source}", f"--output={output}"]
    done = subprocess.run(
        [*command, "--dry_run", "--tile=64"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "10 frames of 96x64, 50.000 a second, interpolated in tiles of 64x64" in done.stdout
    assert os.listdir(tmp_path) == ["in.mkv"]


@pytest.mark.parametrize(
    ("settings", "count"), [({"factor": 200_001}, 600_003), ({"factor": 10**9}, 3 * 10**9)]
)
def test_very_many_frames_are_refused_with_their_count_and_hours(tmp_path, settings, count):
    source = write(tmp_path / "in.mkv", [grey(0), grey(40), grey(80)])
    with pytest.raises(ArgumentError, match=rf"{count} frames, which would take about .* hours"):
        interpolate_video(source, tmp_path / "out.mkv", Fade(), **settings)
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_many_frames_are_made_when_confirmed(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(0), grey(40)])
    assert interpolate_video(source, tmp_path / "out", Fade(), 300, yes=True) == 600
