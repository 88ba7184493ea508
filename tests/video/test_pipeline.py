"""Real files in, real files out: counts, times, colors, sound, and every way to go wrong."""

import os
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from tests.conftest import psnr
from tests.video.clips import Fade, grey, read, write
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_frames, interpolate_video

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


def test_progress_is_reported_to_a_function(clip, tmp_path):
    reports = []
    interpolate_video(
        clip, tmp_path / "out.mkv", Fade(), progress=lambda *counts: reports.append(counts)
    )
    assert reports == [(number, 10) for number in range(1, 11)]


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
    times = [time - times[0] for time in times]
    assert shown[::2] == times
    assert shown[1:8:2] == [(a + b) / 2 for a, b in pairwise(times)]


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


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (np.zeros((32, 40, 3), np.uint8), r"one size and type; number 1 is uint8 of \(32, 40, 3\)"),
        (np.zeros((32, 48, 4), np.uint8), "one size and type"),
        (np.zeros((32, 48, 3), np.uint16), "one size and type"),
        (np.zeros((32, 48), np.uint8), "frames are H x W x 3 or 4"),
        (np.zeros((32, 48, 3), bool), "frames are H x W x 3 or 4"),
    ],
)
def test_frames_of_ones_own_are_of_one_kind(other, said):
    with pytest.raises(InputError, match=said):
        list(interpolate_frames([grey(0), other], Fade()))


def test_frames_of_ones_own_are_never_collected():
    """Each comes out before the next but one is asked for."""
    taken = []

    def frames():
        for number in range(6):
            taken.append(number)
            yield np.full((16, 16, 3), number / 10, np.float32)

    made = interpolate_frames(frames(), Fade(), factor=2, scene_cuts="mix")
    for number in range(0, 10, 2):
        assert next(made).mean() == pytest.approx(number / 20, abs=1e-6)
        assert next(made).mean() == pytest.approx((number + 1) / 20, abs=1e-6)
        assert len(taken) == number // 2 + 2
    assert next(made).mean() == pytest.approx(0.5)
    assert list(made) == []


def test_at_a_cut_frames_fade_if_asked(tmp_path, triplet):
    first, other = triplet[0][:180, :320], np.flip(255 - triplet[0][100:280, 200:520], axis=1)
    source = write(tmp_path / "in.mkv", [first] * 3 + [other] * 3)
    network = Fade()
    interpolate_video(
        source, tmp_path / "out.mkv", network, 4, encoding=LOSSLESS, scene_cuts="fade"
    )
    assert network.pairs == 0
    middle = read(tmp_path / "out.mkv")[0][10]
    np.testing.assert_allclose(middle, (first.astype(float) + other) / 2, atol=1)


def test_noise_that_nobody_sees_does_not_trouble_the_network(tmp_path):
    draw = np.random.default_rng(0).integers
    frames = [grey(100) + draw(0, 3, (32, 48, 3), np.uint8) for _ in range(5)]
    source, network = write(tmp_path / "in.mkv", frames), Fade()
    interpolate_video(source, tmp_path / "out.mkv", network, 2, encoding=LOSSLESS)
    assert network.pairs == 0
    frames[2][10, 10] += 10
    write(source, frames)
    interpolate_video(source, tmp_path / "out.mkv", network, 2, encoding=LOSSLESS, overwrite=True)
    assert network.pairs == 2


@pytest.mark.parametrize(
    ("size", "expected"), [("24x16", (16, 24)), ("24x", (16, 24)), ("x64", (64, 96))]
)
def test_another_size_and_a_part_of_the_time(clip, tmp_path, size, expected):
    count = interpolate_video(
        clip, tmp_path / "out.mkv", Fade(), 2, size=size, duration="0.1", encoding=LOSSLESS
    )
    frames, times = read(tmp_path / "out.mkv")
    # The third frame is cut off in its middle, before the one that follows it.
    assert count == len(frames) == 5 and frames[0].shape[:2] == expected
    assert float(times[-1]) == pytest.approx(0.08, abs=1e-3)
    assert frames[2].mean() == pytest.approx(40 + grey(0).mean(), abs=1)


def test_a_size_that_changes_on_the_way_becomes_the_first(tmp_path):
    """As in recordings of a screen or of a stream."""
    for name, size in (("a", (32, 48)), ("b", (64, 96))):
        write(tmp_path / f"{name}.ts", [grey(100, size)] * 4, 25, None, "mpeg2video", "yuv420p")
    source = tmp_path / "in.ts"
    source.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    count = interpolate_video(source, tmp_path / "out.mkv", Fade(), 2, encoding=LOSSLESS)
    frames, _ = read(tmp_path / "out.mkv")
    # FFmpeg drops the frame that its decoder holds when the size changes.
    assert len(frames) == count >= 14 and {frame.shape[:2] for frame in frames} == {(32, 48)}


@pytest.mark.parametrize("settings", [{"factor": 8}, {"fps": "60000/1001"}, {"fps": 240}])
def test_several_times_of_a_pair_are_one_call(clip, tmp_path, settings):
    network = Fade()
    interpolate_video(clip, tmp_path / "out.mkv", network, encoding=LOSSLESS, **settings)
    assert network.pairs == 4


@pytest.mark.parametrize(
    ("fps", "rate"), [(23.976, "2997/125"), (59.94005994005994, "60000/1001"), ("12.5", "25/2")]
)
def test_a_rate_may_be_a_number_with_a_point(clip, tmp_path, fps, rate):
    count = interpolate_video(clip, tmp_path / "out.mp4", Fade(), fps=fps)
    assert read(tmp_path / "out.mp4")[1] == [number / Fraction(rate) for number in range(count)]


@pytest.mark.parametrize("factor", [7, 300])
def test_clocks_finer_than_containers_keep_are_rounded(tmp_path, factor):
    """A clock of ten million ticks, as some recorders have, times the factor."""
    source = tmp_path / "in.mp4"
    base = Fraction(1, 10_000_000)
    with av.open(str(source), "w", options={"video_track_timescale": "10000000"}) as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(grey(20 * number)).reformat(format="yuv420p")
            frame.pts = number
            for packet in stream.encode(frame):
                packet.pts = packet.dts = number * 400_003
                packet.time_base = base
                out.mux(packet)
    assert open_source([source]).time_base == base
    assert interpolate_video(source, tmp_path / "out.mp4", Fade(), factor) == 3 * factor
    shown = read(tmp_path / "out.mp4")[1]
    expected = [Fraction(400_003 * number, 10_000_000 * factor) for number in range(3 * factor)]
    worst = max(
        abs(ours - theirs) for ours, theirs in zip(shown[: 2 * factor], expected, strict=False)
    )
    assert worst <= base


def test_a_quality_stands_for_a_model(tmp_path, monkeypatch):
    source = write(tmp_path / "in.mkv", [grey(0)] * 2)
    asked = []
    monkeypatch.setattr(registry, "shared", lambda spec: asked.append(spec) or Fade())
    settings = {"factor": 2, "overwrite": True, "progress": False}
    output = tmp_path / "out.mkv"
    interpolate_video(source, output, **settings, options={"flow": "dis"})
    interpolate_video(source, output, **settings, quality="best")
    interpolate_video(source, output, "ifrnet_s", **settings, weights=None)
    assert list(dict.fromkeys(spec.label for spec in asked)) == [
        "flow_interpolation_flow-dis",
        "consensus",
        "ifrnet_s_fresh",
    ]
    with pytest.raises(InputError, match="leave out `quality=fast` or `model`"):
        interpolate_video(source, output, Fade(), **settings, quality="fast")
