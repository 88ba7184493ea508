"""Windows: no cut, no repeated frame and no gap inside; patches: by motion and by texture."""

import random
import weakref
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tests.data.small_videos import scene
from tfvfi.data import patches
from tfvfi.data.patches import PatchChooser
from tfvfi.data.windows import Frame, Windows

SIZE = 64


def windows(frames, length=3, times=None):
    """The windows' frame numbers, and what was met."""
    cutter = Windows(length)
    times = times or [Fraction(number, 25) for number in range(len(frames))]
    found = list(cutter.of(zip(frames, times, strict=True)))
    return [[frame.number for frame in window] for window in found], cutter.seen


def chosen(frames, seed=0):
    """The patches of all windows, and who chose them."""
    chooser = PatchChooser(SIZE, random.Random(seed))
    stream = zip(frames, (Fraction(number, 25) for number in range(len(frames))), strict=True)
    return [patch for window in Windows(3).of(stream) for patch in chooser.choose(window)], chooser


@pytest.mark.parametrize(("length", "expected"), [(2, 6), (3, 4), (5, 2), (9, 1), (13, 0)])
def test_windows_follow_one_another(length, expected):
    found, seen = windows(scene(12), length)
    assert found == [
        list(range(start, start + length)) for start in range(0, expected * length, length)
    ]
    assert seen["frames"] == 12
    assert seen["windows"] == expected


@pytest.mark.parametrize("size", [(480, 640), (200, 240), (90, 160)])
def test_no_window_crosses_a_cut(size):
    """At 640x480 the origin project's threshold let every cut pass."""
    frames = [frame for seed in range(3) for frame in scene(7, 2, seed=seed, size=size)]
    # Scenes of other colors, as shots are.
    for number, shift in enumerate((0, 60, 120)):
        for frame in frames[7 * number : 7 * number + 7]:
            frame[..., number] = frame[..., number] // 3 + shift
    found, seen = windows(frames)
    assert found == [[0, 1, 2], [3, 4, 5], [7, 8, 9], [10, 11, 12], [14, 15, 16], [17, 18, 19]]
    assert seen["cuts"] == 2


@pytest.mark.parametrize("size", [(480, 640), (200, 240)])
def test_a_flash_is_no_cut(size):
    frames = scene(9, size=size)
    frames[4] = np.clip(frames[4].astype(int) + 90, 0, 255).astype("uint8")
    found, seen = windows(frames)
    assert seen["cuts"] == 0
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("hide", ["cut", "leap"])
def test_what_the_flow_does_not_explain_is_left(hide):
    """A cut that was missed, and motion too fast to be followed."""
    usual = scene(3, 10, seed=1)
    odd = [*usual[:2], scene(1, seed=2)[0]] if hide == "cut" else scene(3, 60, seed=1)
    counts = {"usual": 0, "odd": 0}
    for name, frames in (("usual", usual), ("odd", odd)):
        window = [Frame(frame, Fraction(k, 25), k, frame, 1) for k, frame in enumerate(frames)]
        for seed in range(50):
            chooser = PatchChooser(SIZE, random.Random(seed))
            counts[name] += len(list(chooser.choose(window)))
    assert counts["odd"] < 0.2 * counts["usual"]


@pytest.mark.parametrize("jump", range(1, 9))
def test_a_jump_anywhere_in_a_window_is_noticed(jump):
    """The camera leaps between two frames: the flow in the middle may explain all the same."""
    frames = scene(30, 1)
    window = [frames[k if k < jump else k + 8] for k in range(9)]
    steady = [*frames[:9]]
    counts = [0, 0]
    for number, nine in enumerate((window, steady)):
        held = [Frame(frame, Fraction(k, 25), k, frame, 1) for k, frame in enumerate(nine)]
        for seed in range(60):
            counts[number] += len(list(PatchChooser(SIZE, random.Random(seed)).choose(held)))
    assert counts[0] == 0
    assert counts[1] > 20


def test_a_repeated_frame_is_in_no_window():
    frames = scene(8)
    # Not quite the same: cameras and codecs add noise.
    noise = np.random.default_rng(0).normal(0, 3, frames[3].shape)
    noisy = np.clip(frames[3] + noise, 0, 255).astype("uint8")
    found, seen = windows([*frames[:4], noisy, *frames[4:]])
    assert found == [[0, 1, 2], [5, 6, 7]]
    assert seen["repeated"] == 1
    assert windows([frames[0]] * 30)[0] == []


@pytest.mark.parametrize(("hold", "count"), [(2, 4), (3, 4), (4, 4), (5, 0)])
def test_drawings_that_are_held_give_windows_of_what_is_new(hold, count):
    """And nothing through a pause."""
    found, seen = windows([frame for frame in scene(12) for _ in range(hold)])
    assert seen["repeated"] == 12 * (hold - 1)
    assert found == [[3 * hold * n + hold * k for k in range(3)] for n in range(count)]


def test_a_small_thing_that_moves_is_no_repetition():
    frames = [np.full((200, 240, 3), 128, "uint8") for _ in range(3)]
    for number, frame in enumerate(frames):
        frame[100:106, 100 + 3 * number : 106 + 3 * number] = 255
    assert windows(frames)[0] == [[0, 1, 2]]


def test_lost_frames_end_no_window_but_a_gap_does():
    frames = scene(9)
    times = [Fraction(n, 30) for n in (0, 1, 3, 4, 5, 20, 21, 22, 24)]
    found, seen = windows(frames, times=times)
    assert found == [[0, 1, 2], [6, 7, 8]]
    assert seen["uneven"] == 1


def test_a_change_of_size_is_a_cut():
    found, seen = windows([*scene(4), *scene(4, size=(100, 120))])
    assert found == [[0, 1, 2], [4, 5, 6]]
    assert seen["cuts"] == 1


def test_one_window_is_held_at_a_time():
    """However long a clip: the memory is that of the window."""
    alive: list[weakref.ref] = []

    def stream():
        for number, frame in enumerate(scene(40)):
            copy = frame.copy()
            alive.append(weakref.ref(copy))
            yield copy, Fraction(number, 25)
            del copy
            assert sum(one() is not None for one in alive) <= 4

    assert len(list(map(len, Windows(3).of(stream())))) == 13


def test_motion_is_measured_in_pixels_of_the_frame():
    for step, size in ((3, (200, 240)), (6, (200, 240)), (6, (720, 1280))):
        found, _ = chosen(scene(6, step, size=size))
        assert found
        assert np.mean([patch.motion for patch in found]) == pytest.approx(2 * step, rel=0.1)


def test_the_chance_rises_with_motion():
    shares = []
    for step in (0, 1, 3, 6):
        found, chooser = chosen(scene(60, step))
        shares.append(len(found) / max(1, chooser.looked_at.sum()))
    assert shares[0] == 0
    # That of the papers: motion over two frames by 25.
    assert shares[1:] == pytest.approx([2 / 25, 6 / 25, 12 / 25], abs=0.09)


def test_what_has_no_texture_is_left():
    flat = [np.full((200, 240, 3), 9 * number, "uint8") for number in range(9)]
    assert not chosen(flat)[0]
    blurred = [cv2.blur(frame, (75, 75)) for frame in scene(60)]
    assert len(chosen(blurred)[0]) < 0.2 * len(chosen(scene(60))[0])


def test_patches_lie_inside_and_apart_and_everywhere():
    frames = scene(3)
    places = []
    for seed in range(40):
        found, _ = chosen(frames, seed)
        for one in found:
            assert 0 <= one.top <= 200 - SIZE
            assert 0 <= one.left <= 240 - SIZE
            for other in found:
                apart = max(abs(one.top - other.top), abs(one.left - other.left))
                assert one is other or apart >= SIZE
            places.append((one.top, one.left))
    tops, lefts = zip(*places, strict=True)
    assert min(tops) < 10
    assert max(tops) > 126
    assert min(lefts) < 10
    assert max(lefts) > 166


def test_frames_smaller_than_a_patch_give_none():
    assert chosen(scene(9, size=(60, 240)))[0] == []


def test_entropy_tells_texture():
    random_bits = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    assert patches.entropy(random_bits) > 7
    # Sixty-four grey levels and no texture.
    assert patches.entropy(ramp) == 0
    assert [patches.texture_share(bits) for bits in (1, 2, 3, 4, 9)] == [0, 0, 0.5, 1, 1]
