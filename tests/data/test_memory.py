"""Memory of a worker: that of the window, not of the video."""

import re
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.data.making_records import ROOT
from tests.data.small_videos import scene
from tests.video import clips as media

MEASURED = """
import atexit, resource, runpy, sys
atexit.register(lambda: print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def repeated(source: Path, path: Path, times: int) -> Path:
    """The video so many times one after another, its packets as they are."""
    with av.open(str(path), "w") as out:
        stream, start = None, 0
        for _ in range(times):
            with av.open(str(source)) as video:
                stream = stream or out.add_stream_from_template(video.streams.video[0])
                end = start
                for packet in video.demux(video=0):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + start, packet.dts + start
                        end = max(end, packet.pts + packet.duration)
                        packet.stream = stream
                        out.mux(packet)
                start = end
    return path


def peak_megabytes(video: Path, output: Path, frames: int) -> float:
    tool = ROOT / "tools" / "create_records.py"
    flags = [f"--videos={video}", f"--output={output}", f"--frames={frames}", "--workers=1"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tool), *flags],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(re.search(r"peak (\d+)", done.stdout)[1]) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("frames", [3, 25])
def test_a_long_video_takes_no_more_memory_than_a_short_one(tmp_path, frames):
    """In 1080p, ten seconds and forty."""
    second = media.write(
        tmp_path / "second.mp4",
        scene(30, size=(1080, 1920)),
        30,
        codec="libx264",
        pixel_format="yuv420p",
    )
    peaks = [
        peak_megabytes(
            repeated(second, tmp_path / f"{seconds}.mp4", seconds), tmp_path / f"r{seconds}", frames
        )
        for seconds in (10, 40)
    ]
    assert max(peaks) < 1500
    assert peaks[1] < 1.1 * peaks[0]
