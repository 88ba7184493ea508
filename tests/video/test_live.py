"""Frames between frames while they arrive."""

import threading
import time

import av
import numpy as np
import pytest

import tfvfi
from tests.video.clips import Fade, grey, write
from tfvfi.errors import ArgumentError, InputError
from tfvfi.video import live


def levels(frames):
    return [round(float(frame.mean() - grey(0).mean())) for frame in frames]


def test_frames_of_ones_own_are_all_used():
    frames = [grey(40 * number) for number in range(4)]
    assert levels(tfvfi.stream(iter(frames), Fade(), 2)) == [0, 20, 40, 60, 80, 100, 120]


def test_a_file_and_a_server(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(40 * number) for number in range(3)])
    assert levels(tfvfi.stream(source, Fade(), 4))[::2] == [0, 20, 40, 60, 80]
    assert levels(tfvfi.stream(f"file://{source}", Fade(), delay=0)) == [0, 20, 40, 60, 80]


def test_a_frame_comes_as_soon_as_the_next_one_is_there():
    asked = []

    def frames():
        for number in range(5):
            asked.append(number)
            yield grey(40 * number)

    made = tfvfi.stream(frames(), Fade(), 2, scene_cuts="mix")
    for number in range(4):
        next(made), next(made)
        assert len(asked) == number + 2
    made.close()


def test_the_delay_is_bounded_where_the_network_is_slow():
    arrived = []

    class Slow(Fade):
        def interpolate(self, frame0, frame1, times=(0.5,)):
            time.sleep(0.05)
            return super().interpolate(frame0, frame1, times)

    def camera():
        for number in range(60):
            arrived.append(number)
            yield grey(4 * number)
            time.sleep(0.01)

    behind, seen = [], []
    for frame in tfvfi.stream(camera(), Slow(), 2, scene_cuts="mix", delay=2):
        seen.append(levels([frame])[0])
        behind.append(len(arrived) - 1 - seen[-1] / 4)
    # Two wait, two are in the hands of the network; more came while it computed.
    assert len(seen) < 80 and max(behind) <= 30 and seen == sorted(seen)
    assert behind[len(behind) // 2] <= 2 + 2 + 20


def test_whoever_stops_closes_the_camera(monkeypatch):
    released = threading.Event()

    class Camera:
        def __init__(self, number):
            self.number, self.count = number, 0

        def isOpened(self):  # noqa: N802
            return self.number == 0

        def read(self):
            self.count += 1
            return True, grey(self.count % 200)

        def release(self):
            released.set()

    monkeypatch.setattr(live.cv2, "VideoCapture", Camera)
    made = tfvfi.stream(0, Fade())
    assert [next(made).shape for _ in range(3)] == [(32, 48, 3)] * 3
    made.close()
    assert released.wait(5)
    with pytest.raises(InputError, match="no camera 7"):
        next(tfvfi.stream(7, Fade()))


def test_mistakes(tmp_path):
    with pytest.raises(ArgumentError, match="`delay` is a number of frames"):
        next(tfvfi.stream([grey(0)], Fade(), delay=-1))
    with pytest.raises(InputError, match="there is no file"):
        next(tfvfi.stream(tmp_path / "none.mp4", Fade()))
    with pytest.raises(InputError, match="cannot be read"):
        next(tfvfi.stream("file:///none.mp4", Fade()))
    with av.open(str(tmp_path / "a.wav"), "w") as out:
        sound = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        out.mux(sound.encode(frame))
    with pytest.raises(InputError, match="no video stream"):
        next(tfvfi.stream(f"file://{tmp_path}/a.wav", Fade()))
