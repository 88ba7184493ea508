"""The VapourSynth function: the library's own frames, whatever is asked for in whatever order.

VapourSynth needs Python 3.12; where it is not installed, what does not need it is tested.
"""

import importlib.util
import random
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

import tfvfi
from tests.video.clips import Fade
from tfvfi import vapoursynth as ours
from tfvfi.errors import ArgumentError, InputError

INSTALLED = importlib.util.find_spec("vapoursynth") is not None


def timing(frames=5, rate=Fraction(24), factor=None, fps=None):
    return ours._Timing.by(frames, rate, factor, fps)


def test_places_of_a_factor():
    found = timing(factor=3)
    assert (found.count, found.rate) == (15, 72)
    places = [found.place(number) for number in range(15)]
    assert places[4] == ours.Place(1, Fraction(1, 3)) and places[14] == ours.Place(4, Fraction(0))
    assert found.shares(1) == [Fraction(1, 3), Fraction(2, 3)]


@pytest.mark.parametrize("fps", ["60", "60000/1001", 25, "12", 240])
def test_places_of_a_rate_are_those_that_pairs_render(fps):
    found = timing(frames=40, rate=Fraction(24000, 1001), fps=fps)
    for number in range(found.count):
        place = found.place(number)
        assert place.index + place.share <= number * found.step
        if place.share:
            assert place.share in found.shares(place.index)


def test_a_varying_rate_takes_a_factor_alone():
    assert timing(rate=None, factor=2).rate is None
    with pytest.raises(ArgumentError, match="needs a clip of constant rate"):
        timing(rate=None, fps=60)


if not INSTALLED:

    def test_without_vapoursynth_there_is_one_sentence():
        with pytest.raises(InputError, match=r"pip install 'tfvfi\[vapoursynth\]'"):
            ours.interpolate(None, Fade())

else:
    import vapoursynth as vs
    from vapoursynth import core

    def scenes(count=4, size=(37, 53), seed=0):
        """Something that moves, H x W x 3 floats."""
        import cv2

        noise = np.random.default_rng(seed).uniform(0, 1, (12, 16, 3)).astype(np.float32)
        large = cv2.resize(
            noise, (size[1] + 5 * count, size[0] + 5 * count), interpolation=cv2.INTER_CUBIC
        )
        large = large.clip(0, 1)
        return [
            np.ascontiguousarray(large[3 * n : 3 * n + size[0], 5 * n : 5 * n + size[1]])
            for n in range(count)
        ]

    def as_clip(frames, form=vs.RGBS, rate=Fraction(24000, 1001), **props):
        """A clip of these frames."""
        height, width = frames[0].shape[:2]
        settings = {"fpsnum": rate.numerator, "fpsden": rate.denominator}
        blank = core.std.BlankClip(
            width=width, height=height, format=form, length=len(frames), keep=True, **settings
        )

        def fill(n, f):
            frame = f.copy()
            for number in range(3):
                np.copyto(np.asarray(frame[number]), frames[n][..., number], casting="same_kind")
            for name, values in props.items():
                frame.props[name] = values[n]
            return frame

        return blank.std.ModifyFrame(blank, fill)

    def image(frame):
        return np.stack([np.asarray(frame[number]) for number in range(3)], -1)

    @pytest.mark.parametrize("model", ["flow_interpolation", "ifrnet_s"])
    def test_frames_are_the_librarys_own(model):
        frames = scenes()
        network = tfvfi.load(model)
        expected = list(tfvfi.interpolate_frames(frames, network, factor=3))
        made = ours.interpolate(as_clip(frames), network, factor=3)
        assert made.num_frames == 12 and made.fps == Fraction(72000, 1001)
        for number, frame in enumerate(expected):
            np.testing.assert_array_equal(image(made.get_frame(number)), frame)
        np.testing.assert_array_equal(image(made.get_frame(11)), frames[-1])

    def test_any_order_and_many_threads():
        frames, network = scenes(12), Fade()
        made = ours.interpolate(as_clip(frames), network, factor=4, scene_cuts=False)
        expected = list(tfvfi.interpolate_frames(frames, Fade(), factor=4, scene_cuts="mix"))
        numbers = list(range(len(expected)))
        random.Random(0).shuffle(numbers)
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda number: image(made.get_frame(number)), numbers))
        for number, frame in zip(numbers, found, strict=True):
            np.testing.assert_allclose(frame, expected[number], atol=1e-6)

    def test_a_pair_is_rendered_once():
        network = Fade()
        made = ours.interpolate(as_clip(scenes(5)), network, factor=8, scene_cuts=False)
        for _ in made.frames():
            pass
        assert network.pairs == 4

    def test_half_floats_and_other_rates():
        frames = scenes()
        made = ours.interpolate(as_clip(frames, vs.RGBH), Fade(), fps="60", scene_cuts=False)
        assert made.format.id == vs.RGBH and made.fps == 60
        assert made.num_frames == timing(4, Fraction(24000, 1001), fps="60").count
        share = float(Fraction(24000, 1001) / 60)
        expected = frames[0] * (1 - share) + frames[1] * share
        np.testing.assert_allclose(image(made.get_frame(1)), expected, atol=2e-3)

    @pytest.mark.parametrize("form", [vs.YUV420P8, vs.YUV444P10, vs.YUV422P16, vs.YUV420PS])
    @pytest.mark.parametrize(("levels", "matrix"), [(0, 1), (1, 6), (0, 9)])
    def test_yuv_is_converted_and_back_with_its_properties(form, levels, matrix):
        size = (38, 54)
        rgb = as_clip([scenes(1, size)[0]] * 2 + [scenes(1, size, 3)[0]] * 2)
        yuv = rgb.resize.Bicubic(format=form, matrix=matrix, range=levels)
        network = Fade()
        made = ours.interpolate(yuv, network, factor=2, scene_cuts=False)
        assert made.format.id == form
        for number in range(4):
            mine, other = made.get_frame(2 * number), yuv.get_frame(number)
            for plane in range(3):
                np.testing.assert_array_equal(np.asarray(mine[plane]), np.asarray(other[plane]))
        between, before = made.get_frame(3), yuv.get_frame(1)
        for name in ("_Matrix", "_Range", "_ChromaLocation"):
            assert between.props.get(name) == before.props.get(name)
        mean = (np.asarray(yuv.get_frame(1)[0]).astype(float) + np.asarray(yuv.get_frame(2)[0])) / 2
        white = 1 if form == vs.YUV420PS else 2**made.format.bits_per_sample
        assert np.abs(np.asarray(between[0]) - mean).mean() < 0.01 * white

    @pytest.mark.parametrize("form", [vs.RGB24, vs.GRAY8])
    def test_integers_and_grey(form):
        clip = as_clip(scenes()).resize.Bicubic(format=form, matrix=None if form == vs.RGB24 else 1)
        made = ours.interpolate(clip, Fade(), scene_cuts=False)
        assert (made.format.id, made.num_frames) == (form, 8)
        pair = [np.asarray(clip.get_frame(number)[0]).astype(float) for number in (0, 1)]
        assert np.abs(np.asarray(made.get_frame(1)[0]) - sum(pair) / 2).mean() < 2

    def test_cuts_are_told_by_properties_or_found():
        frames = [*scenes(2), *(1 - frame for frame in scenes(2, seed=5))]
        network = Fade()
        for props in ({"_SceneChangeNext": [0, 1, 0, 0], "_SceneChangePrev": [0, 0, 1, 0]}, {}):
            made = ours.interpolate(as_clip(frames, **props), network, factor=2)
            np.testing.assert_array_equal(image(made.get_frame(3)), frames[1])
            if props:
                told = [made.get_frame(number).props for number in range(8)]
                assert [one["_SceneChangeNext"] for one in told] == [0, 0, 0, 1, 0, 0, 0, 0]
                assert [one["_SceneChangePrev"] for one in told] == [0, 0, 0, 0, 1, 0, 0, 0]
        mixed = ours.interpolate(as_clip(frames, **props), network, factor=2, scene_cuts=False)
        assert np.abs(image(mixed.get_frame(3)) - frames[1]).max() > 0.1

    def test_durations_also_of_varying_clips():
        lengths = [(1, 24), (1, 30), (1, 12), (1, 24)]
        clip = as_clip(
            scenes(),
            _DurationNum=[top for top, _ in lengths],
            _DurationDen=[bottom for _, bottom in lengths],
            _AbsoluteTime=[0.0, 1 / 24, 1 / 24 + 1 / 30, 1 / 24 + 1 / 30 + 1 / 12],
        )
        even = ours.interpolate(clip, Fade(), factor=2)
        assert even.get_frame(3).props["_DurationDen"] == 48000
        varying = core.std.Splice([clip[0], clip.std.AssumeFPS(fpsnum=30)[1:]], mismatch=True)
        varying = varying.std.CopyFrameProps(clip)
        assert varying.fps_num == 0
        made = ours.interpolate(varying, Fade(), factor=2)
        assert made.fps_num == 0
        found = [made.get_frame(number).props for number in range(8)]
        durations = [Fraction(one["_DurationNum"], one["_DurationDen"]) for one in found]
        assert durations == [Fraction(1, 2 * bottom) for _, bottom in lengths for _ in range(2)]
        assert found[3]["_AbsoluteTime"] == pytest.approx(1 / 24 + 1 / 60)
        with pytest.raises(ArgumentError, match="constant rate"):
            ours.interpolate(varying, Fade(), fps=60)

    def test_mistakes():
        with pytest.raises(InputError, match="one format and size"):
            clips = [core.std.BlankClip(width=64), core.std.BlankClip(width=32)]
            ours.interpolate(core.std.Splice(clips, mismatch=True), Fade())
        with pytest.raises(InputError, match="leave out `factor`"):
            ours.interpolate(as_clip(scenes()), Fade(), factor=2, fps=60)
        with pytest.raises(InputError, match="there is no model 'none'"):
            ours.interpolate(as_clip(scenes()), "none")
