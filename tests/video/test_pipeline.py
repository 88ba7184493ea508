"""Real files in, real files out: counts, times, colours, sound, and every way to go wrong."""

import os
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.conftest import psnr
from tests.video.clips import Fade, grey, packets, read, write
from tfvfi.errors import InputError
from tfvfi.video import Encoding, interpolate_frames, interpolate_video

ROOT = Path(__file__).parents[2]
LOSSLESS = Encoding(codec="ffv1")
LEVELS = [0, 40, 80, 120, 160]


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "in.mkv", [grey(level) for level in LEVELS])


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_factor(clip, tmp_path, factor):
    count = interpolate_video(clip, tmp_path / "out.mkv", Fade(), factor, encoding=LOSSLESS)
    frames, times = read(tmp_path / "out.mkv")
    assert count == len(frames) == 5 * factor
    for number, (frame, shown) in enumerate(zip(frames, times, strict=True)):
        level = min(40 * number / factor, 160)
        np.testing.assert_allclose(frame, grey(0) + level, atol=1)
        # Matroska keeps times in milliseconds.
        assert abs(shown - Fraction(number, 25 * factor)) <= Fraction(1, 1000)


def test_source_frames_come_out_untouched(clip, tmp_path):
    interpolate_video(clip, tmp_path / "out.mkv", Fade(), factor=2, encoding=LOSSLESS)
    for ours, theirs in zip(read(tmp_path / "out.mkv")[0][::2], read(clip)[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("fps", ["60", "60000/1001", "12"])
def test_rate_from_ntsc(tmp_path, fps):
    rate = Fraction(24000, 1001)
    source = write(
        tmp_path / "in.mp4", [grey(5 * n) for n in range(12)], rate, None, "libx264", "yuv420p"
    )
    interpolate_video(source, tmp_path / "out.mp4", Fade(), fps=fps)
    _, times = read(tmp_path / "out.mp4")
    assert abs(len(times) / Fraction(fps) - 12 / rate) <= 1 / (2 * Fraction(fps))
    assert times == [Fraction(number) / Fraction(fps) for number in range(len(times))]


def test_uneven_times_stay_exact(tmp_path):
    times = [Fraction(n, 100) for n in (10, 14, 15, 23, 27)]
    frames = [grey(level) for level in LEVELS]
    source = write(tmp_path / "in.mp4", frames, 25, times, "libx264", "yuv420p")
    interpolate_video(source, tmp_path / "out.mp4", Fade(), factor=2)
    _, shown = read(tmp_path / "out.mp4")
    assert shown[::2] == times
    assert shown[1:8:2] == [(a + b) / 2 for a, b in pairwise(times)]


def test_sound_is_copied_bit_by_bit_and_in_time(tmp_path):
    """A flash and a beep at one moment are at one moment afterwards."""
    dark, light = grey(0), grey(200)
    frames = [dark] * 10 + [light] * 15
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p", 0, Fraction(10, 25))
    interpolate_video(source, tmp_path / "out.mp4", Fade(), fps=60)
    assert packets(tmp_path / "out.mp4") == packets(source)

    shown, times = read(tmp_path / "out.mp4")
    flash = next(t for frame, t in zip(shown, times, strict=True) if frame.mean() > 100)
    with av.open(str(tmp_path / "out.mp4")) as container:
        loud = next(
            frame.time
            for frame in container.decode(audio=0)
            if np.abs(frame.to_ndarray()).max() > 0.3
        )
    assert abs(float(flash) - loud) < 1 / 25 + 1024 / 48000


def test_slow_motion_stretches_time_and_drops_sound(tmp_path):
    frames = [grey(level) for level in LEVELS]
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p", 0, Fraction(0))
    interpolate_video(source, tmp_path / "out.mp4", Fade(), factor=4, slowmo=True)
    _, times = read(tmp_path / "out.mp4")
    assert times == [Fraction(number, 25) for number in range(20)]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


BT601, BT709, LIMITED, FULL = 5, 1, 1, 2


@pytest.mark.parametrize("matrix", [BT601, BT709])
@pytest.mark.parametrize("span", [LIMITED, FULL])
def test_colours_are_kept(tmp_path, matrix, span):
    """Strong colours come back as they were: a wrong matrix or range would move them by 10s."""
    frames = [np.full((32, 48, 3), colour, np.uint8) for colour in ((200, 40, 60), (30, 160, 210))]
    tags = {"colorspace": matrix, "color_range": span, "color_primaries": matrix, "color_trc": 1}
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv444p", 0, None, **tags)
    interpolate_video(
        source, tmp_path / "out.mp4", Fade(), 2, scene_cuts="mix", encoding=Encoding(crf=0)
    )
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (matrix, span)
    made = read(tmp_path / "out.mp4")[0]
    for ours, theirs in zip(made[::2], read(source)[0], strict=True):
        assert np.abs(ours.mean(axis=(0, 1)) - theirs.mean(axis=(0, 1))).max() < 1.5


def test_ten_bits_stay_ten_bits(tmp_path):
    frames = [np.full((32, 48, 3), level, np.uint16) for level in (20000, 20400)]
    source = write(tmp_path / "in.mkv", frames, 25, None, "ffv1", "gbrp10le")
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=2, encoding=LOSSLESS)
    made = read(tmp_path / "out.mkv")[0]
    assert made[0].dtype == np.uint16
    np.testing.assert_allclose([frame.mean() for frame in made[:3]], [20000, 20200, 20400], atol=80)


def test_rotation_is_kept(tmp_path):
    frames = [grey(level) for level in LEVELS]
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p", 90, Fraction(0))
    interpolate_video(source, tmp_path / "out.mp4", Fade(), 2)
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mp4")) as after:
        turned = next(before.decode(video=0)).rotation
        assert turned != 0 and next(after.decode(video=0)).rotation == turned


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 33)])
def test_odd_sizes(tmp_path, size):
    source = write(tmp_path / "in.mkv", [grey(0, size), grey(100, size)])
    interpolate_video(
        source, tmp_path / "out.mkv", Fade(), factor=2, encoding=LOSSLESS, scene_cuts="mix"
    )
    frames, _ = read(tmp_path / "out.mkv")
    assert [frame.shape[:2] for frame in frames] == [size] * 4


def test_one_frame_is_held(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(50)])
    assert interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=3, encoding=LOSSLESS) == 3


def test_a_cut_is_never_mixed(tmp_path, triplet):
    first, _, _ = triplet
    first, other = first[:180, :320], np.flip(255 - first[100:280, 200:520], axis=1)
    scenes = [first, first, first, other, other, other]
    source = write(tmp_path / "in.mkv", scenes)
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=4, encoding=LOSSLESS)
    for frame in read(tmp_path / "out.mkv")[0]:
        assert max(psnr(frame + 0.0, first - 0.5), psnr(frame + 0.0, other - 0.5)) > 45
    interpolate_video(
        source, tmp_path / "mixed.mkv", Fade(), 4, encoding=LOSSLESS, scene_cuts="mix"
    )
    mixed = read(tmp_path / "mixed.mkv")[0][10]
    assert max(psnr(mixed, first), psnr(mixed, other)) < 30


def test_equal_frames_do_not_trouble_the_network(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(50)] * 6)
    network = Fade()
    interpolate_video(source, tmp_path / "out.mkv", network, factor=4, encoding=LOSSLESS)
    assert network.pairs == 0


def test_pictures_in_pictures_out(tmp_path):
    folder = tmp_path / "ein Ordner ü"
    folder.mkdir()
    for number in (9, 10, 11):
        cv2.imencode(".png", grey(40 * (number - 9)))[1].tofile(folder / f"f{number}.png")
    assert interpolate_video(folder, tmp_path / "out", Fade(), 2) == 5
    names = sorted(os.listdir(tmp_path / "out"))
    assert names == [f"{number:08d}.png" for number in range(5)]
    levels = [cv2.imread(str(tmp_path / "out" / name)).mean() for name in names]
    np.testing.assert_allclose(np.diff(levels), 20, atol=0.6)
    pattern = interpolate_video(folder / "f%d.png", tmp_path / "again", Fade(), 2)
    two = interpolate_video([folder / "f9.png", folder / "f10.png"], tmp_path / "two", Fade(), 8)
    assert (pattern, two) == (5, 9)


def test_sixteen_bit_pictures_stay_so(tmp_path):
    for number, level in enumerate((1000, 3000)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), level, np.uint16))
    interpolate_video([tmp_path / "0.png", tmp_path / "1.png"], tmp_path / "out", Fade(), 2)
    middle = cv2.imread(str(tmp_path / "out" / "00000001.png"), cv2.IMREAD_UNCHANGED)
    assert middle.dtype == np.uint16 and middle.mean() == 2000


def test_frames_of_ones_own():
    frames = [grey(level) for level in LEVELS]
    made = list(interpolate_frames(iter(frames), Fade(), factor=2))
    assert len(made) == 9
    np.testing.assert_array_equal(made[2], frames[1])


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4"])
def test_what_is_no_video_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"words" if name == "text.mp4" else b"")
    with pytest.raises(InputError, match=rf"{name} cannot be read as a video"):
        interpolate_video(tmp_path / name, tmp_path / "out.mp4", Fade())
    assert not (tmp_path / "out.mp4").exists()


def test_mistakes_are_one_sentence_before_any_work(clip, tmp_path):
    out = tmp_path / "out.mkv"
    for arguments, said in [
        ({"input": tmp_path / "none.mp4", "output": out}, "there is no file"),
        ({"input": clip, "output": tmp_path / "out.xyz"}, r"ends in one of \.mp4"),
        ({"input": clip, "output": out, "factor": 0}, "whole number from 1"),
        ({"input": clip, "output": out, "fps": "fast"}, "a rate such as 60"),
        ({"input": clip, "output": out, "fps": "60", "factor": 2}, "leave out factor"),
        ({"input": clip, "output": clip}, "exists; name another"),
        (
            {"input": clip, "output": tmp_path / "out.webm", "encoding": Encoding("h264")},
            "takes: av1, vp9",
        ),
        ({"input": [clip], "output": out, "encoding": Encoding("x")}, "there is no codec 'x'"),
        (
            {"input": clip, "output": tmp_path / "a.mp4", "encoding": Encoding(preset="warp9")},
            "no preset 'warp9'; there are: ultrafast",
        ),
        ({"input": clip, "output": out, "encoding": Encoding("ffv1", crf=3)}, "ffv1 has no crf"),
        ({"input": tmp_path / "no.mp4", "output": tmp_path / "new" / "a.mp4"}, "there is no file"),
    ]:
        with pytest.raises(InputError, match=said):
            interpolate_video(model=Fade(), **arguments)
    assert sorted(os.listdir(tmp_path)) == ["in.mkv"]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), grey(50))
    kept = tmp_path / "out"
    kept.mkdir()
    (kept / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="left alone"):
        inputs = [tmp_path / "0.png", tmp_path / "1.png"]
        interpolate_video(inputs, kept, Fade(), overwrite=True)
    assert (kept / "letter.txt").exists()


def test_an_error_in_the_network_leaves_nothing(clip, tmp_path):
    class Breaks(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            if self.pairs == 2:
                raise RuntimeError("out of memory")
            return super().interpolate(a, b, times)

    with pytest.raises(RuntimeError, match="out of memory"):
        interpolate_video(clip, tmp_path / "out.mkv", Breaks(), factor=2)
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_a_truncated_file_gives_no_output_that_looks_whole(tmp_path):
    frames = [
        np.random.default_rng(n).integers(0, 255, (64, 64, 3)).astype("uint8") for n in range(9)
    ]
    source = write(tmp_path / "in.mp4", frames, 25, None, "libx264", "yuv420p")
    source.write_bytes(source.read_bytes()[:-3000])
    with pytest.raises(InputError, match="cannot be read as a video"):
        interpolate_video(source, tmp_path / "out.mp4", Fade())
    assert os.listdir(tmp_path) == ["in.mp4"]


SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from tests.video.clips import Fade
from tfvfi import command
from tfvfi.video import interpolate_video
from absl import flags

class Slow(Fade):
    def interpolate(self, a, b, times=(0.5,)):
        time.sleep(0.05)
        return super().interpolate(a, b, times)

def main():
    print("started", flush=True)
    interpolate_video({source!r}, {output!r}, Slow(), 2)

command.run(main, flags.FlagValues(), ["tool"])
"""


def test_ctrl_c_leaves_a_clean_folder(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(7 * n % 200) for n in range(300)])
    code = SCRIPT.format(root=str(ROOT), source=str(source), output=str(tmp_path / "out.mkv"))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130 and "interrupted" in said and "Traceback" not in said
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_kill_leaves_no_output(tmp_path):
    source = write(tmp_path / "in.mkv", [grey(7 * n % 200) for n in range(300)])
    code = SCRIPT.format(root=str(ROOT), source=str(source), output=str(tmp_path / "out.mkv"))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    time.sleep(1.5)
    process.kill()
    process.wait()
    assert not (tmp_path / "out.mkv").exists()
    interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=1, encoding=LOSSLESS)
    assert not [name for name in os.listdir(tmp_path) if "partial" in name]


def test_memory_does_not_grow_with_length(tmp_path):
    """Three hundred more frames of 0.9 MB each may not cost a tenth of what they weigh."""
    frames = [grey(n % 200, (480, 640)) for n in range(60)]
    short = write(tmp_path / "short.mkv", frames)
    long = write(tmp_path / "long.mkv", frames * 6)
    peaks = []
    for source in (short, long):
        interpolate_video(source, tmp_path / "out.mkv", Fade(), factor=1, overwrite=True)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 0.1 * 300 * 0.9
