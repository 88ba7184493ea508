"""How long the last frame is shown, as players and FFmpeg read it; and where a part of it ends."""

import math
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.clips import Fade, grey, read, write
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video

# When frames are shown, in hundredths: with pauses, and a long last one.
UNEVEN = (0, 4, 8, 12, 16, 20, 50, 54, 58, 100, 104, 108, 112, 250, 320)
LOSSLESS = Encoding(codec="ffv1")


def moving(number, size=(64, 96)):
    """A texture that moves, so that encoders use frames of every kind."""
    texture = np.random.default_rng(0).integers(60, 190, (size[0] // 4, size[1] // 4, 3), np.uint8)
    return np.roll(texture.repeat(4, 0).repeat(4, 1), 2 * number, axis=1)


def uneven(path, shown=UNEVEN):
    """Frames at uneven times, each with its length."""
    times = [Fraction(time, 100) for time in shown]
    plain = path.with_name("plain.mkv")
    frames = [moving(number) for number in range(len(times) - 1)]
    write(plain, frames, 25, times[:-1], "libx264", "yuv420p")
    with av.open(str(plain)) as given, av.open(str(path), "w") as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                number = int(np.argmin([abs(packet.pts * packet.time_base - t) for t in times]))
                length = times[number + 1] - times[number]
                packet.duration = round(length / packet.time_base)
                packet.stream = copy
                out.mux(packet)
    return path


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        *((ending, codec) for ending in (".mp4", ".mov", ".mkv") for codec in ("h264", "h265")),
        *((".mp4", "av1"), (".webm", "vp9"), (".mkv", "ffv1"), (".mov", "prores")),
    ],
)
@pytest.mark.parametrize("factor", [1, 2])
def test_a_long_last_frame_is_as_long(tmp_path, ending, codec, factor):
    source = uneven(tmp_path / "in.mkv")
    output = tmp_path / f"out{ending}"
    presets = {"av1": "10", "vp9": "8"}
    encoding = Encoding(codec, preset=presets.get(codec))
    settings = {"encoding": encoding, "scene_cuts": "mix", "progress": False}
    assert interpolate_video(source, output, Fade(), factor, **settings) == 14 * factor
    assert len(read(output)[0]) == 14 * factor
    with av.open(str(output)) as made:
        stream = made.streams.video[0]
        assert made.duration / 1e6 == pytest.approx(3.2, abs=0.002)
        if stream.duration:
            assert float(stream.duration * stream.time_base) == pytest.approx(3.2, abs=0.002)
        packets = [packet for packet in made.demux(stream) if packet.size]
    last = max(packets, key=lambda packet: packet.pts)
    assert float(last.pts * last.time_base) == pytest.approx(3.2 - 0.7 / factor, abs=0.002)
    if ending in (".mp4", ".mov"):
        assert last is packets[-1]
        assert float(last.duration * last.time_base) == pytest.approx(0.7 / factor, abs=0.002)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_frames_of_one_length_end_as_before(tmp_path, codec):
    source = write(tmp_path / "in.mkv", [moving(number) for number in range(12)], 25)
    encoding = Encoding(codec)
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, encoding=encoding, scene_cuts="mix")
    with av.open(str(tmp_path / "out.mp4")) as made:
        stream = made.streams.video[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(12 / 25)
        keys = sum(packet.is_keyframe for packet in made.demux(stream) if packet.size)
    assert keys == 1


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("settings", [{"factor": 4}, {"factor": 3}, {"fps": 60}, {"fps": 75}])
@pytest.mark.parametrize("duration", ["0.43", "0.4001", "0.399", "0.02", "1/30"])
def test_a_part_is_the_beginning_of_the_whole(tmp_path, ending, settings, duration):
    """The clock of an AVI ticks once per frame; the part ends between two of its ticks."""
    source = write(tmp_path / "in.avi", [grey(12 * n) for n in range(15)], 25, None, "ffv1", "bgr0")
    encoding = LOSSLESS if ending == ".mkv" else Encoding(crf=0, preset="ultrafast")
    settings = {**settings, "encoding": encoding, "scene_cuts": "mix", "progress": False}
    interpolate_video(source, tmp_path / f"whole{ending}", Fade(), **settings)
    part = tmp_path / f"part{ending}"
    count = interpolate_video(source, part, Fade(), duration=duration, **settings)
    whole, expected = read(tmp_path / f"whole{ending}")
    frames, times = read(part)
    assert len(frames) == count
    assert times == expected[:count] and all(np.diff([float(time) for time in times]) > 0)
    rate, end = Fraction(settings.get("fps", 25 * settings.get("factor", 1))), Fraction(duration)
    # The first frame not shown is the one that starts at the end, or has its middle there.
    assert count == math.ceil(end * rate - (Fraction(1, 2) if "fps" in settings else 0))
    for ours, theirs in zip(frames, whole[:count], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with av.open(str(part)) as made:
        length = made.duration / 1e6
    # Matroska's clock has thousandths of a second; a shorter last frame gets the usual length.
    tolerance = 0.002 + (0 if ending == ".mp4" else 1 / float(rate))
    assert length == pytest.approx(float(min(end, count / rate)), abs=tolerance)


def test_frames_that_follow_each_other_at_once_have_times_of_their_own(tmp_path):
    """A source in thousandths of a second whose third frame is a repeat of the second's time."""
    source = write(
        tmp_path / "in.mkv",
        [moving(number) for number in range(6)],
        1000,
        [Fraction(n, 1000) for n in (0, 1, 1, 2, 3, 4)],
    )
    assert interpolate_video(source, tmp_path / "out.mp4", Fade(), 8, scene_cuts="mix") == 48
    _, times = read(tmp_path / "out.mp4")
    assert len(set(times)) == 48


@pytest.mark.parametrize(("codec", "preset"), [("av1", "12"), ("vp9", "8"), ("h265", "ultrafast")])
def test_encoders_need_not_plan_for_the_highest_rates(tmp_path, codec, preset, capfd):
    """SVT-AV1 refuses to plan for more than 240 frames a second, on standard error."""
    source = write(tmp_path / "in.mkv", [moving(number) for number in range(3)], 25)
    encoding = Encoding(codec, preset=preset)
    count = interpolate_video(
        source, tmp_path / "out.mkv", Fade(), 40, encoding=encoding, scene_cuts="mix"
    )
    _, times = read(tmp_path / "out.mkv")
    assert count == len(set(times)) == 120
    assert "rror" not in capfd.readouterr().err


@pytest.mark.parametrize("factor", [2, 10, 11, 80])
def test_a_timecode_does_not_cost_the_video(tmp_path, factor, caplog):
    """An MP4 has timecodes of up to 255 frames a second, and refuses others at its very end."""
    source = tmp_path / "in.mkv"
    plain = write(tmp_path / "plain.mkv", [moving(number) for number in range(3)], 25)
    with av.open(str(plain)) as given, av.open(str(source), "w") as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        copy.metadata["timecode"] = "01:00:00:00"
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    interpolate_video(source, tmp_path / "out.mp4", Fade(), factor, scene_cuts="mix")
    assert len(read(tmp_path / "out.mp4")[0]) == 3 * factor
    with av.open(str(tmp_path / "out.mp4")) as made:
        kept = made.streams.video[0].metadata.get("timecode")
    assert (kept is not None) == (25 * factor <= 255)
    assert ("timecode" in caplog.text) == (kept is None)


def test_the_last_frame_is_not_longer_than_its_container_knows(tmp_path):
    """The last frame shown is not the last one written, and FFmpeg takes the other's length."""
    source = tmp_path / "in.mp4"
    times = [Fraction(12 * n, 100) for n in range(11)]
    frames = [moving(number) for number in range(11)]
    write(source, frames, 25, times, "libx264", "yuv420p")
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        expected = stream.duration * stream.time_base
    interpolate_video(source, tmp_path / "out.mkv", Fade(), 2, scene_cuts="mix")
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert made.duration / 1e6 == pytest.approx(float(expected), abs=0.01)


def test_a_rate_that_cannot_be_is_not_believed(tmp_path):
    """FFmpeg takes the clock of raw DV for its rate: 60000 frames a second."""
    source = write(
        tmp_path / "in.dv",
        [moving(number, (576, 720)) for number in range(2)],
        25,
        None,
        "dvvideo",
        "yuv420p",
    )
    assert open_source([source]).rate == 25
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2, size="72x58", scene_cuts="mix")
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert made.streams.video[0].average_rate == 50
