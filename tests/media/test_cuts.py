"""Cuts are found whatever the size; flashes of motion are none."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from tfvfi.media.cuts import CutDetector


def found(frames):
    detector = CutDetector()
    return [detector.between(a, b) for a, b in pairwise(frames)]


def test_a_shot_holds_no_cut(clip_frames):
    assert not any(found(clip_frames))
    assert not any(found(clip_frames[::4]))


@pytest.mark.parametrize("width", [40, 160, 640, 1920])
def test_another_shot_is_a_cut_at_any_size(clip_frames, width):
    size = (width, width * 9 // 16)
    other = [np.roll(np.flip(frame, 0), 1, axis=2) for frame in clip_frames[:6]]
    shots = [cv2.resize(frame, size) for frame in clip_frames[:6] + other]
    assert found(shots) == [False] * 5 + [True] + [False] * 5


def test_a_fast_pan_is_no_cut(clip_frames):
    scene = cv2.resize(clip_frames[0], (1280, 720))
    pan = [scene[:, left : left + 480] for left in range(0, 800, 60)]
    assert not any(found(pan))


def test_light_that_fades_or_flashes_is_no_cut(clip_frames):
    fade = [(clip_frames[0] * level).astype(np.uint8) for level in np.linspace(1, 0.3, 12)]
    assert not any(found(fade))
    flash = [clip_frames[0] // 2, clip_frames[0] // 2, clip_frames[0], clip_frames[0] // 2]
    assert not any(found(flash))


def test_a_cut_in_fast_motion_is_a_cut(clip_frames):
    scene = cv2.resize(clip_frames[0], (1280, 720))
    pan = [scene[::-1, left : left + 480] for left in range(0, 800, 110)]
    other = np.roll(np.flip(clip_frames[-1], 1), 1, axis=2)
    there = [cv2.resize(other, (480, 720))] * 2
    assert found([*pan, *there]) == [False] * (len(pan) - 1) + [True, False]
