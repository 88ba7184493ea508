"""When tracks begin, and clocks that jump: as players show them, and in time with each other."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.clips import Fade, grey, packets, read, write
from tests.video.test_tracks import flash_and_beep
from tfvfi.video import interpolate_video


def recording(path, start=Fraction(0), sound=Fraction(0), seconds=2, late=Fraction(0)):
    """A picture that turns light half-way, when a tone begins; sound starts by `sound` later."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg2video" if path.suffix == ".ts" else "libx264", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        audio = out.add_stream("mp2" if path.suffix == ".ts" else "aac", rate=48000, layout="mono")
        half = round(25 * seconds / 2)
        for number in range(25 * seconds):
            frame = av.VideoFrame.from_ndarray(grey(200 if number >= half else 0))
            frame.pts = number + round((start + late) * 25)
            out.mux(video.encode(frame.reformat(format="yuv420p")))
        wave = np.sin(np.arange(48000 * seconds) / 5) * 0.8
        wave[: round((half / Fraction(25) - sound + late) * 48000)] = 0
        frame = av.AudioFrame.from_ndarray(wave[None].astype("f4"), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, round((start + sound) * 48000)
        size = audio.codec_context.frame_size
        resampler = av.AudioResampler(audio.format.name, "mono", 48000, frame_size=size)
        for one in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(audio.encode(one))
        for stream in (video, audio):
            out.mux(stream.encode(None))
    return path


def begins(path):
    """When the file, its pictures and its sound begin, and how long the file is."""
    with av.open(str(path)) as container:
        streams = (container.streams.video[0], container.streams.audio[0])
        starts = [float(stream.start_time * stream.time_base) for stream in streams]
        return *starts, container.duration / 1e6


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("origin", ["ts", "mkv"])
@pytest.mark.parametrize("late", [Fraction(0), Fraction(2, 5)])
def test_a_recording_that_starts_late_starts_at_once(tmp_path, ending, origin, late):
    source = recording(tmp_path / f"in.{origin}", start=Fraction(115), late=late)
    output = tmp_path / f"out.{ending}"
    interpolate_video(source, output, Fade())
    pictures, sound, length = begins(output)
    before = begins(source)
    assert before[0] > 114
    assert min(pictures, sound) == pytest.approx(0, abs=0.05)
    assert pictures - sound == pytest.approx(before[0] - before[1], abs=0.03)
    assert length == pytest.approx(2 + float(late), abs=0.15)
    flash, beep = flash_and_beep(output)
    assert beep == pytest.approx(flash, abs=0.03)


@pytest.mark.parametrize("settings", [{"factor": 2}, {"fps": 50}])
@pytest.mark.parametrize("slowmo", [False, True])
def test_times_start_at_the_earliest_track(tmp_path, settings, slowmo):
    source = recording(tmp_path / "in.ts", start=Fraction(20), late=Fraction(1))
    if slowmo:
        settings = {"factor": 2, "slowmo": True, "sound": "stretch"}
    interpolate_video(source, tmp_path / "out.mkv", Fade(), **settings)
    pictures, sound, _ = begins(tmp_path / "out.mkv")
    assert (pictures, sound) == pytest.approx((1 + slowmo, 0), abs=0.06)


JUMPS = {"ahead": (0, 5000), "back": (5000, 0), "back a little": (0, 0)}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_goes_on(tmp_path, ending, jump, caplog):
    """Two recordings in one file, as receivers write them."""
    source = tmp_path / "in.ts"
    parts = [
        recording(tmp_path / f"{number}.ts", start=Fraction(start)).read_bytes()
        for number, start in enumerate(JUMPS[jump])
    ]
    source.write_bytes(b"".join(parts))
    output = tmp_path / f"out.{ending}"
    with caplog.at_level(logging.WARNING):
        assert interpolate_video(source, output, Fade(), factor=2, damaged="keep") == 200
    shown, times = read(output)
    assert np.all(np.diff([float(time) for time in times]) > 0)
    assert float(times[-1] - times[0]) == pytest.approx(4 - 0.02, abs=0.2)
    light = np.array([frame.mean() > 120 for frame in shown])
    flashes = [float(times[n]) for n in np.flatnonzero(light[1:] & ~light[:-1]) + 1]
    assert flashes == pytest.approx([1, 3], abs=0.15)
    assert onsets(output) == pytest.approx(flashes, abs=0.1)
    assert sum(map(len, packets(output))) >= 0.9 * sum(map(len, packets(source)))


def onsets(path):
    """When the tone begins."""
    found, quiet = [], True
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray()).max() > 0.3 * (
                1 if frame.format.name.startswith("flt") else 32767
            )
            if loud and quiet:
                found.append(frame.time)
            quiet = not loud
    return found


def test_even_rates_do_not_fill_a_jump(tmp_path):
    """A day between two frames of a recording is no day that was filmed."""
    source = tmp_path / "in.ts"
    source.write_bytes(
        recording(tmp_path / "0.ts").read_bytes()
        + recording(tmp_path / "1.ts", start=Fraction(80000)).read_bytes()
    )
    count = interpolate_video(source, tmp_path / "out.mkv", Fade(), fps=50, damaged="keep")
    assert count == pytest.approx(200, abs=12)


def test_packets_that_a_container_refuses_are_left_out_aloud(tmp_path, caplog):
    """ADTS that breaks off in the middle: what cannot be copied does not cost the video."""
    source = tmp_path / "in.ts"
    with av.open(str(source), "w") as out:
        video = out.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        audio = out.add_stream("aac", rate=48000, layout="mono")
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(grey(4 * number)).reformat(format="yuv420p")
            frame.pts = number
            out.mux(video.encode(frame))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 96000), "f4"), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        made = [*audio.encode(frame), *audio.encode(None)]
        for number, packet in enumerate(made):
            if number == len(made) // 2:
                broken = av.Packet(b"\xff\xf1\x50\x40\x00\x1f\xfc" + bytes(2))
                broken.pts = broken.dts = packet.pts
                broken.time_base, broken.stream = packet.time_base, packet.stream
                packet = broken
            out.mux(packet)
        out.mux(video.encode(None))
    assert interpolate_video(source, tmp_path / "out.mp4", Fade(), damaged="keep") == 100
    assert "1 packets of track 1 of" in caplog.text and "in.ts" in caplog.text
    assert len(packets(tmp_path / "out.mp4")) > 0.9 * len(made)


def test_what_a_decoder_must_leave_out_is_no_pause(tmp_path):
    """A part of a video without key frames begins with frames that cannot be decoded."""
    whole = tmp_path / "whole.mkv"
    write(
        whole,
        [grey(2 * number) for number in range(75)],
        25,
        None,
        "libx264",
        "yuv420p",
    )
    source = tmp_path / "in.mkv"
    with av.open(str(whole)) as given, av.open(str(source), "w") as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        held = [packet for packet in given.demux(video=0) if packet.size]
        # Frames that refer to others come first, and then those to which they refer.
        for packet in [*held[5:10], *held[:1], *held[1:5]]:
            shift = 0 if packet in held[5:10] else 400
            packet.dts = len(out.streams) and (held.index(packet) * 40 + shift)
            packet.pts, packet.stream = packet.dts + 80, copy
            out.mux(packet)
    interpolate_video(source, tmp_path / "out.mkv", Fade(), damaged="keep")
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert made.streams.video[0].start_time == 0
