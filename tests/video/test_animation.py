"""The animation workflow: video that was drawn on threes comes out smooth, and in time.

Its origin (ycheng1102/DIP_Final) has known faults. Each is shown here to be absent, but for those
that its parts are tested for: counting, comparing, memory in test_duplicates.py; one-sided
splatting, holes, stretched warps, flow that is no number in tests/models/test_flow_splatting.py;
the order of colors that PWC-Net expects in tests/models/test_pwcnet.py.
"""

from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

import tfvfi
from tests import commands
from tests.conftest import psnr
from tests.video.clips import Fade, grey, packets, read, write
from tfvfi.cli import interpolate
from tfvfi.errors import InputError
from tfvfi.flow.flo import read_flo
from tfvfi.video import Encoding, interpolate_video

# Film's rate, which the origin takes for 24; drawings on threes; pixels between two of them.
RATE, HELD, DRAWINGS, STEP = Fraction(24000, 1001), 3, 12, 8
FRAMES, SIZE, RADIUS = HELD * DRAWINGS, (180, 320), 30
DURATION = FRAMES / RATE


def drawing(left, blackness=40):
    """A striped ball over a gradient; its center is at `left` of row 90."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype("float64")
    ground = np.stack([120 + columns / 4, 190 - rows / 3, 220 - columns / 5], -1)
    frame = ground.clip(0, 255).astype("uint8")
    cv2.circle(frame, (left, 90), RADIUS, (230, 60, blackness), -1, cv2.LINE_AA)
    for offset in (-12, 0, 12):
        cv2.circle(frame, (left + offset, 90 + offset), 6, (30, 20, 90), -1, cv2.LINE_AA)
    return frame


def center(frame):
    """Where the ball is: the mean column of what is red."""
    red = (frame[..., 0] > 190) & (frame[..., 1] < 100)
    return np.nonzero(red)[1].mean()


def length(path):
    """How long the picture lasts, from the first frame's start to the last one's end."""
    with av.open(str(path)) as container:
        shown = [packet for packet in container.demux(video=0) if packet.size]
        first, last = min(p.pts for p in shown), max(shown, key=lambda packet: packet.pts)
        return (last.pts + last.duration - first) * last.time_base


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A coded clip of held drawings, with sound."""
    path = tmp_path_factory.mktemp("animation") / "drawn.mp4"
    frames = [drawing(60 + STEP * number) for number in range(DRAWINGS) for _ in range(HELD)]
    return write(path, frames, RATE, None, "libx264", "yuv420p", beep_at=Fraction(1, 2))


@pytest.fixture(scope="module")
def network():
    return tfvfi.load("flow_interpolation", flow="dis", mode="splat")


@pytest.fixture(scope="module")
def smooth(source, network):
    """The clip twice as smooth by the count, six times by the eye, with its flow."""
    output = source.with_name("smooth.mp4")
    flows = source.with_name("flows")
    interpolate_video(source, output, network, 2, duplicates="smooth", flow_output=flows)
    return output


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"factor": 2, "duplicates": "keep"}, 2 * FRAMES),
        ({"factor": 2, "duplicates": "smooth"}, 2 * FRAMES),
        ({"factor": 3, "duplicates": "smooth"}, 3 * FRAMES),
        ({"factor": 1, "duplicates": "smooth"}, FRAMES),
        ({"factor": 4, "duplicates": "drop"}, 4 * DRAWINGS),
        ({"fps": "60", "duplicates": "smooth"}, round(60 * DURATION)),
        ({"fps": "60", "duplicates": "drop"}, round(60 * DURATION)),
    ],
)
def test_count_duration_and_sound(source, tmp_path, settings, count):
    """To the origin 23.976 is 24, frames it drops are time it loses, and there is no sound."""
    output = tmp_path / "out.mp4"
    assert interpolate_video(source, output, Fade(), **settings) == count
    assert len(read(output)[1]) == count
    assert abs(length(output) - DURATION) <= DURATION / count / 2
    assert packets(output) == packets(source)


def test_motion_between_drawings_is_even(source, smooth):
    """The origin inserts as many frames into a long gap as into a short one."""
    moving = FRAMES * 2 - 2 * HELD
    found = [center(frame) for frame in read(smooth)[0]][: moving + 1]
    expected = 60 + STEP * np.arange(moving + 1) / (2 * HELD)
    np.testing.assert_allclose(found, expected, atol=0.8)
    held = [center(frame) for frame in read(source)[0]]
    assert np.abs(np.array(held) - (60 + STEP * np.arange(FRAMES) / HELD)).max() > STEP / 2


def test_times_are_those_of_the_source(source, smooth):
    times = read(smooth)[1]
    assert times[::2] == read(source)[1]
    assert times == [Fraction(number) / (2 * RATE) for number in range(2 * FRAMES)]


def test_gaps_of_any_length_keep_their_time(tmp_path):
    """Drawings on ones, twos, threes and fours: each is shown when it was."""
    holds = [1, 2, 3, 4, 1, 3]
    starts = np.cumsum([0, *holds])
    frames = [grey(30 * n) for n, held in enumerate(holds) for _ in range(held)]
    source = write(tmp_path / "in.mkv", frames)
    output = tmp_path / "out.mkv"
    interpolate_video(source, output, Fade(), 2, duplicates="smooth", encoding=Encoding("ffv1"))
    levels = [frame.mean() - grey(0).mean() for frame in read(output)[0]]
    wanted = np.interp(np.arange(2 * len(frames)) / 2, starts[:-1], 30 * np.arange(len(holds)))
    np.testing.assert_allclose(levels, wanted, atol=1)


def test_the_last_drawing_is_shown(source, smooth):
    """The origin never shows it."""
    shown, last = read(smooth)[0], read(source)[0][-1]
    for frame in shown[-2 * HELD :]:
        assert psnr(frame, last) > 30


def test_drawings_on_threes_are_held_longer_at_a_higher_rate(tmp_path):
    """Film shown at 60 frames a second: drawings take turns of seven and eight frames."""
    starts = [0, 7, 15, 22, 30]
    frames = [grey(40 * n) for n, (a, b) in enumerate(pairwise(starts)) for _ in range(b - a)]
    source = write(tmp_path / "in.mkv", frames, 60)
    output = tmp_path / "out.mkv"
    interpolate_video(source, output, Fade(), 1, duplicates="smooth", encoding=Encoding("ffv1"))
    levels = [frame.mean() - grey(0).mean() for frame in read(output)[0]]
    wanted = np.interp(np.arange(30), starts[:-1], 40 * np.arange(4))
    np.testing.assert_allclose(levels, wanted, atol=1)


def test_a_pause_stays_a_pause(tmp_path):
    """What is held for long rests: its motion is not drawn out over the pause, and has one flow."""

    class Still(Fade):
        def estimate(self, first, second):
            return np.full((*first.shape[:2], 2), second.mean() - first.mean())

    frames = [grey(0)] * 12 + [grey(60)] * 3
    source = write(tmp_path / "in.mkv", frames)
    output, flows = tmp_path / "out.mkv", tmp_path / "flows"
    settings = {"duplicates": "smooth", "encoding": Encoding("ffv1"), "flow_output": flows}
    interpolate_video(source, output, Still(), 2, **settings)
    (only,) = flows.iterdir()
    assert read_flo(only).min() > 50
    levels = np.array([frame.mean() for frame in read(output)[0]]) - grey(0).mean()
    np.testing.assert_allclose(levels[:22], 0, atol=1)
    assert levels[23] == pytest.approx(30, abs=1)


@pytest.mark.parametrize("duplicates", ["smooth", "drop"])
def test_a_cut_between_held_drawings_is_not_mixed(tmp_path, clip_frames, duplicates):
    """The origin does not look for cuts."""
    here = cv2.resize(clip_frames[0], SIZE[::-1])
    there = drawing(100)
    source = write(tmp_path / "in.mkv", [here] * 3 + [there] * 3)
    output = tmp_path / "out.mkv"
    settings = {"duplicates": duplicates, "encoding": Encoding("ffv1")}
    interpolate_video(source, output, Fade(), 4, **settings)
    for frame in read(output)[0]:
        assert max(psnr(frame, here), psnr(frame, there)) > 40


def test_slow_motion_of_drawings_is_not_lost(tmp_path):
    """The origin compares with the frame directly before, and drops all of a slow move."""
    scene = drawing(160).astype(float)
    frames = [np.rint(scene * (1 - 0.01 * number)).astype("uint8") for number in range(30)]
    source = write(tmp_path / "in.mkv", frames)
    output = tmp_path / "out.mkv"
    interpolate_video(source, output, Fade(), 1, duplicates="drop", encoding=Encoding("ffv1"))
    shown = read(output)[0]
    assert 3 <= len(shown) < 15
    assert shown[-1].mean() < 0.8 * shown[0].mean()


def test_the_flow_of_every_pair_is_kept(smooth):
    """The origin overwrites one file again and again."""
    flows = sorted(smooth.with_name("flows").iterdir())
    assert len(flows) == DRAWINGS - 1
    for number, path in enumerate(flows):
        flow = read_flo(path)
        assert flow.shape == (*SIZE, 2)
        middle = 60 + STEP * number
        ball = flow[80:100, middle - 10 : middle + 10]
        np.testing.assert_allclose(np.median(ball, axis=(0, 1)), (STEP, 0), atol=1)


def test_a_network_without_flow_is_refused_before_anything_is_written(source, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"fade has no flow from frame to frame"):
        folder = tmp_path / "out"
        interpolate_video(source, folder / "a.mp4", Fade(), flow_output=folder / "flow")
    assert not list((tmp_path / "out").iterdir())


def test_size_and_duration_are_of_the_source(source, tmp_path):
    """The origin squeezes every shape into one, and counts a second by the frames it keeps."""
    output = tmp_path / "out.mp4"
    settings = {"size": "160x", "duration": "0.75", "duplicates": "smooth"}
    count = interpolate_video(source, output, Fade(), fps=48, **settings)
    assert count == 36
    frames, _ = read(output)
    assert frames[0].shape == (90, 160, 3)
    assert abs(length(output) - Fraction(3, 4)) <= Fraction(1, 96)


def test_pictures_beyond_ten_thousand_stay_in_order(tmp_path):
    """The origin sorts names of four digits as text."""
    (tmp_path / "in").mkdir()
    for level, number in enumerate((9998, 9999, 10000, 10001)):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), grey(40 * level))
    interpolate_video(tmp_path / "in", tmp_path / "out", Fade(), 2, duplicates="drop")
    files = sorted((tmp_path / "out").iterdir())
    levels = [cv2.imread(str(file)).mean() for file in files]
    assert len(levels) == 7 and all(a < b for a, b in pairwise(levels))


def test_the_command(source, tmp_path, monkeypatch, capsys):
    """Flags that nobody knows are refused, and no folder of the user's is cleared."""
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "mine.txt").write_text("mine")
    output = tmp_path / "out.mp4"
    given = [f"--input={source}", "--output=out.mp4", "--size=80x", "--fps=50", "--duration=0.5"]
    given += ["--duplicates=drop", "--duplicate_threshold=0.0005"]
    given += ["--model=flow_interpolation,mode=splat,flow=dis"]
    monkeypatch.chdir(tmp_path)

    assert commands.run(interpolate, *given, "--threshhold=3") == 2
    assert "threshhold" in capsys.readouterr().err and not output.exists()
    assert commands.run(interpolate, *given) == 0
    assert "25 frames" in capsys.readouterr().out
    assert abs(length(output) - Fraction(1, 2)) <= Fraction(1, 100)
    assert (tmp_path / "video" / "mine.txt").read_text() == "mine"
