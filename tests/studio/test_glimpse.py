"""Neighbours anywhere in a source are the frames that a reading from the start gives."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import grey, write
from tfvfi.errors import InputError
from tfvfi.media.source import open_source
from tfvfi.studio.glimpse import Glimpse


def long_video(path, frames=90):
    """Pictures that differ, with frames in between that refer forwards, and few whole ones."""
    options = {"g": "30", "bf": "2", "crf": "4"}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            image = grey(2 * number, (48, 64))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = long_video(tmp_path_factory.mktemp("glimpse") / "long.mp4")
    return str(path), list(open_source([path]))


@pytest.mark.parametrize("number", [0, 1, 29, 30, 31, 47, 59, 60, 87, 88])
def test_frames_are_those_of_a_reading_from_the_start(video, number):
    path, frames = video
    start = frames[0].time
    # A little later than the frame, as a slider stands.
    seconds = float(frames[number].time - start) + 0.03
    found = Glimpse([path]).neighbours(seconds)
    assert [each.time for each in found] == [each.time for each in frames[number : number + 2]]
    for each, known in zip(found, frames[number : number + 2], strict=True):
        np.testing.assert_array_equal(each.image, known.image)


@pytest.mark.parametrize("seconds", [8.95, 9.0, 1e6])
def test_at_the_end_they_are_the_last_ones(video, seconds):
    path, frames = video
    found = Glimpse([path]).neighbours(seconds, count=3)
    assert [each.time for each in found] == [each.time for each in frames[-3:]]


def test_pictures_are_counted(tmp_path):
    for number in range(40):
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), grey(5 * number))
    first, second = Glimpse([str(tmp_path)]).neighbours(25.5 / 24)
    np.testing.assert_array_equal(first.image, grey(125))
    np.testing.assert_array_equal(second.image, grey(130))
    assert first.time == Fraction(25, 24)
    last = Glimpse([str(tmp_path)]).neighbours(1000)
    np.testing.assert_array_equal(last[-1].image, grey(195))


def test_repeats_are_left_out(tmp_path):
    levels = [0, 0, 0, 100, 100, 200]
    path = write(tmp_path / "drawn.mkv", [grey(level // 2) for level in levels], 10)
    found = Glimpse([str(path)]).neighbours(0.1, skip_repeats=True)
    assert [each.image.max() for each in found] == [30, 80]
    with pytest.raises(InputError, match="4 different frames are needed here; there are 3"):
        Glimpse([str(path)]).neighbours(0, count=4, skip_repeats=True)


def test_a_single_frame_has_no_neighbour(tmp_path):
    path = write(tmp_path / "one.mkv", [grey(1)])
    with pytest.raises(InputError, match="2 different frames are needed here; there are 1"):
        Glimpse([str(path)]).neighbours(0)


def test_a_turned_video_is_shown_upright(tmp_path):
    path = write(
        tmp_path / "turned.mp4",
        [grey(9), grey(19)],
        codec="libx264",
        pixel_format="yuv420p",
        rotation=90,
    )
    glimpse = Glimpse([str(path)])
    first, _ = glimpse.neighbours(0)
    assert glimpse.upright(first).shape == (48, 32, 3)
