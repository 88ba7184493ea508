"""Predictions as files: names, videos, and what a resumed run still owes."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tfvfi.errors import InputError
from tfvfi.evaluation.evaluate import EvaluationSettings, evaluate
from tfvfi.evaluation.media import MARK, Media, marked, rate, safe
from tfvfi.registry import ModelSpec

SETTINGS = EvaluationSettings(
    dataset_options={"factor": 4}, shown=0, media=Media(True, True, Fraction(12), True)
)


def run(clips, folder, settings=SETTINGS):
    network = ModelSpec("flow_interpolation")
    evaluate([network], "frames", clips, folder, settings, progress=False)
    return folder / "flow_interpolation"


def decoded(path):
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)], stream


def test_pictures_and_videos(clips, tmp_path):
    own = run(clips, tmp_path)
    names = sorted(path.name for path in (own / "images" / "one" / "000").iterdir())
    assert names == [
        "000-00-ground_truth.png",
        "001-01-flow_interpolation.png",
        "002-02-flow_interpolation.png",
        "003-03-flow_interpolation.png",
        "004-04-ground_truth.png",
    ]
    given = cv2.imread(str(own / "images" / "one" / "000" / names[0]))
    np.testing.assert_array_equal(given, cv2.imread(str(clips / "one" / "000.png")))

    # Two samples that follow one another share a video: 4 + 4 + 1 frames.
    frames, stream = decoded(own / "videos" / "one" / "000.mp4")
    assert len(frames) == 9 and stream.average_rate == 12
    assert np.abs(frames[0] - given[..., ::-1].astype(int)).mean() < 4
    corner = [frame[2:6, 18:22].astype(int).mean((0, 1)) for frame in frames]
    red = [color[0] > 180 and color[1] < 90 for color in corner]
    assert red == [number % 4 > 0 for number in range(9)]
    assert not list(own.rglob(".*"))


@pytest.mark.parametrize("rounding", ["truncate", "nearest", "none"])
def test_pictures_are_what_was_measured(rounding, clips, tmp_path):
    settings = EvaluationSettings(
        rounding, dataset_options={"factor": 4}, shown=0, media=Media(images=True)
    )
    own = run(clips, tmp_path, settings)
    pair = [cv2.imread(str(clips / "one" / f"{at:03d}.png"))[..., ::-1] / 255 for at in (0, 4)]
    (frame,) = ModelSpec("flow_interpolation").load_interpolator().interpolate(*pair, times=(0.5,))
    expected = (np.floor if rounding == "truncate" else np.rint)(255 * np.float32(frame))
    found = cv2.imread(str(own / "images/one/000/002-02-flow_interpolation.png"))[..., ::-1]
    np.testing.assert_array_equal(found, expected)


def test_what_is_missing_is_made_again(clips, tmp_path):
    own = run(clips, tmp_path)
    table = (own / "frames.csv").read_bytes()
    video, picture = own / "videos/one/000.mp4", own / "images/one/004/008-04-ground_truth.png"
    expected = decoded(video)[0], picture.read_bytes()
    video.unlink()
    picture.unlink()
    run(clips, tmp_path)
    again = np.array(decoded(video)[0], float)
    # x264 does not give the same bits twice for frames this small.
    assert again.shape == np.shape(expected[0]) and np.abs(again - expected[0]).mean() < 1
    assert picture.read_bytes() == expected[1]
    assert sorted((own / "frames.csv").read_bytes().splitlines()) == sorted(table.splitlines())


def test_a_failure_leaves_no_half_video(clips, tmp_path, monkeypatch):
    from tfvfi.evaluation import measuring as module

    def fails(*arguments):
        raise RuntimeError

    run_once = EvaluationSettings(dataset_options={"factor": 4}, shown=0, media=Media(video=True))
    original = module.measure_sample
    calls = []

    def second_fails(*arguments):
        calls.append(0)
        return original(*arguments) if len(calls) < 2 else fails()

    monkeypatch.setattr(module, "measure_sample", second_fails)
    with pytest.raises(RuntimeError):
        run(clips, tmp_path, run_once)
    # The clip before the failure is whole; of the other nothing is left.
    (whole,) = (path for path in tmp_path.rglob("*") if path.suffix == ".mp4")
    assert whole.parent.name == "_b_two" and len(decoded(whole)[0]) == 5


def test_names_lead_nowhere_else():
    assert safe("../../etc/pass wd").parts == ("_", "_", "etc", "pass wd")
    assert safe("/a//b\x00c").parts == ("_", "a", "_", "b_c")


def test_the_mark_spares_the_frame_it_is_given():
    for dtype in (np.uint8, np.uint16):
        frame = np.zeros((16, 32, 3), dtype)
        painted = marked(frame)
        assert not frame.any()
        white = np.iinfo(dtype).max
        for at, color in enumerate(MARK):
            assert painted[0, 8 * at].tolist() == [part * (white // 255) for part in color]


@pytest.mark.parametrize("text", ["0", "-3", "fast", "1/0"])
def test_rates_that_are_none(text):
    with pytest.raises(InputError, match="Received"):
        rate(text)


def test_rates():
    assert rate("24000/1001") == Fraction(24000, 1001)
