"""Repeated drawings are found in coded video; small and slow motion is never taken for one."""

import tracemalloc
from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.models.shared import GOLDEN
from tests.video.clips import read, write
from tfvfi.media.duplicates import DuplicateDetector

HELD = 3


def drawings(count, height=360, width=640):
    """A face at rest, of which only the mouth opens and closes, eight pixels wide."""
    noise = np.random.default_rng(0).uniform(60, 220, (12, 20, 3))
    ground = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    face, center = ground.astype("uint8"), (width // 2, height // 2 + 20)
    for color, thickness in (((240, 205, 180), -1), ((20, 20, 20), 2)):
        cv2.ellipse(face, center, (80, 110), 0, 0, 360, color, thickness, cv2.LINE_AA)
    frames = []
    for number in range(count):
        frames.append(face.copy())
        mouth = (center[0], center[1] + 50), (10, 1 + 4 * (number % 2))
        cv2.ellipse(frames[-1], *mouth, 0, 0, 360, (120, 30, 40), -1, cv2.LINE_AA)
    return frames


def kept(frames, **settings):
    detector = DuplicateDetector(**settings)
    return [not detector.repeats(frame) for frame in frames]


@pytest.fixture(scope="module")
def sequence():
    """Nine frames with what the origin counts between them and keeps at four thresholds."""
    with np.load(GOLDEN / "softsplat" / "anime.npz") as arrays:
        return {name: arrays[name] for name in ("seq", "seq_counts", "thresholds", "kept")}


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4", "libvpx-vp9"])
def test_held_drawings_are_found_in_coded_video(tmp_path, codec):
    """To the origin a difference of 1 counts fully, so most frames of such a video are new."""
    held = [frame for frame in drawings(6) for _ in range(HELD)]
    ending = "webm" if codec == "libvpx-vp9" else "mp4"
    coded, _ = read(write(tmp_path / f"a.{ending}", held, 24, codec=codec, pixel_format="yuv420p"))
    assert kept(coded) == [number % HELD == 0 for number in range(len(held))]
    differ = [np.any(a != b) for a, b in pairwise(coded)]
    repeated = [number for number in range(len(differ)) if (number + 1) % HELD]
    assert np.mean([differ[number] for number in repeated]) > 0.2


def test_of_lossless_video_exact_copies_are_found():
    frames = [frame for frame in drawings(4) for _ in range(HELD)]
    expected = [number % HELD == 0 for number in range(len(frames))]
    assert kept(frames, threshold=0, tolerance=0) == expected
    frames[4] = frames[4].copy()
    frames[4][0, 0, 0] ^= 1
    # A single value of one pixel: 4 is new, and so is 5, which is as 3 was.
    expected[4] = expected[5] = True
    assert kept(frames, threshold=0, tolerance=0) == expected


def test_slow_drift_is_compared_with_the_last_frame_kept():
    """The origin compares with the frame directly before, and drops all of it."""
    scene = drawings(1)[0].astype(float)
    fade = [np.rint(scene * (1 - 0.01 * number)).astype("uint8") for number in range(40)]
    detector = DuplicateDetector()
    found = [not detector.repeats(frame) for frame in fade]
    assert 3 <= sum(found) <= 10
    one_by_one = [kept(pair)[1] for pair in pairwise(fade)]
    assert not any(one_by_one)


def test_pixels_are_counted_not_their_colors(sequence):
    """The origin counts values, three to a pixel, and promises pixels."""
    frames = sequence["seq"].astype(int)
    values = [np.count_nonzero(b - a) for a, b in pairwise(frames)]
    assert values == list(sequence["seq_counts"])
    for threshold, expected in zip(sequence["thresholds"], sequence["kept"], strict=True):
        assert [True, *(count > threshold for count in values)] == list(expected)

    white, changed = np.full((20, 20, 3), 255, "uint8"), np.full((20, 20, 3), 255, "uint8")
    changed[:2] = 0
    share = 40 / 400
    assert kept([white, changed], threshold=share, tolerance=0) == [True, False]
    assert kept([white, changed], threshold=share - 1e-6, tolerance=0) == [True, True]
    changed[:2, :, :2] = 255
    assert kept([white, changed], threshold=share - 1e-6, tolerance=0) == [True, True]


@pytest.mark.parametrize("form", ["uint8", "uint16", "float32"])
def test_every_form_of_frames_is_judged_alike(form):
    whole = np.iinfo(form).max if form != "float32" else 1
    frames = [frame for frame in drawings(3, 180, 320) for _ in range(2)]
    noise = np.random.default_rng(1).normal(0, 4, (len(frames), *frames[0].shape))
    noisy = np.clip(frames + noise, 0, 255) / 255 * whole
    assert kept(noisy.astype(form)) == [True, False] * 3


@pytest.mark.parametrize("tolerance", [0, 16])
def test_transparency_is_part_of_a_drawing_and_what_it_hides_is_not(tolerance):
    colors = np.concatenate([drawings(1, 90, 160)[0], np.full((90, 160, 1), 255, "uint8")], -1)
    hidden, other = colors.copy(), colors.copy()
    hidden[20:60, 40:90, 3] = 0
    other[20:60, 40:90] = (0, 255, 0, 0)
    assert kept([colors, colors, hidden, other], tolerance=tolerance) == [True, False, True, False]


def test_memory_is_that_of_one_frame():
    frame = np.zeros((720, 1280, 3), "uint8")
    detector = DuplicateDetector()
    tracemalloc.start()
    for level in range(0, 200, 20):
        detector.repeats(frame + np.uint8(level))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.5 * frame.nbytes


def test_the_frame_may_be_written_over_by_its_owner():
    frame = np.zeros((20, 20, 3), "uint8")
    detector = DuplicateDetector(0, 0)
    assert not detector.repeats(frame)
    frame[:] = 255
    assert not detector.repeats(frame)
