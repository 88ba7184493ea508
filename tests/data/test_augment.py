"""Augmentation: the published steps value by value, and flow that moves with its frames."""

import cv2
import numpy as np
import pytest

from tests.models.shared import GOLDEN
from tfvfi import registry
from tfvfi.data import augment, photometry
from tfvfi.data.augment import Augmentation, Patch
from tfvfi.errors import InputError

IFRNET_NAMES = {
    "enlarge_twice": "resize",
    "reverse_channels": "reverse_channel",
    "flip_vertically": "vertical_flip",
    "flip_horizontally": "horizontal_flip",
    "transpose": "rotate",
    "reverse_time": "reverse_time",
}
TRIPLET = ("in0", "target", "in1")


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def textured():
    """Three frames of a texture that moves by (3, -2) pixels a step, with its exact flow."""
    draw = np.random.default_rng(1).uniform(0, 255, (40, 44, 3)).astype(np.float32)
    texture = cv2.resize(draw, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC).clip(0, 255)
    frames = tuple(
        texture[60 + 2 * step : 156 + 2 * step, 60 - 3 * step : 156 - 3 * step].copy()
        for step in (0, 1, 2)
    )
    flow = np.broadcast_to(np.float32([-3, 2, 3, -2]), (96, 96, 4)).copy()
    return Patch(frames, (0.0, 0.5, 1.0), 0.5, flow)


@pytest.mark.parametrize("ours", IFRNET_NAMES)
def test_ifrnet_steps_equal_the_published_ones(ours, random):
    golden = np.load(GOLDEN / "ifrnet" / "augment.npz")
    names = ("img0", "imgt", "img1")
    frames = tuple(golden[f"in_{name}"].astype(np.uint8) for name in names)
    patch = Patch(frames, (0, 0.5, 1), 0.5, golden["in_flow"])
    found = augment.SOMETIMES[ours](patch, random, (8, 12))
    for frame, name in zip(found.frames, names, strict=True):
        np.testing.assert_array_equal(frame, golden[f"{IFRNET_NAMES[ours]}_{name}"])
    np.testing.assert_array_equal(found.flow, golden[f"{IFRNET_NAMES[ours]}_flow"])


def superslomo(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    golden = np.load(GOLDEN / "superslomo" / "augment.npz")
    return [(golden[frame], golden[f"{name}_{frame}"]) for frame in TRIPLET]


@pytest.mark.parametrize("g", ["1.1", "0.9"])
def test_gamma_equals_the_published_one(g):
    for frame, expected in superslomo(f"gamma_{g}"):
        np.testing.assert_allclose(photometry.gamma(frame, float(g)), expected, atol=1e-4)


def test_gain_equals_the_published_brightness():
    gains = 1 + np.load(GOLDEN / "superslomo" / "augment.npz")["brightness_draws"]
    for frame, expected in superslomo("brightness"):
        np.testing.assert_allclose(photometry.gain(frame, gains), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "factor"), [("plus0.1", 1.1), ("minus0.1", 0.9)])
def test_contrast_equals_the_published_one(name, factor):
    for frame, expected in superslomo(f"contrast_{name}"):
        np.testing.assert_allclose(photometry.contrast(frame, factor), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "factor"), [("plus0.1", 1.1), ("minus0.1", 0.9)])
def test_the_published_bug_of_saturation_is_not_copied(name, factor):
    for frame, published in superslomo(f"saturation_{name}"):
        red, green, blue = np.moveaxis(frame, -1, 0)
        # As published: a product where a sum belongs, and in 8 bits, where it overflows.
        wrong = (0.299 * red + 0.114 * (green * blue))[..., None]
        np.testing.assert_allclose(wrong + factor * (frame - wrong), published, atol=1e-3)
        right = frame.astype(np.float64) @ [0.299, 0.587, 0.114]
        expected = right[..., None] + factor * (frame - right[..., None])
        found = photometry.saturation(frame, factor)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert np.abs(found - published).max() > 5


def test_saturation_leaves_gray_alone():
    gray = np.full((4, 5, 3), 77, np.uint8)
    np.testing.assert_allclose(photometry.saturation(gray, 1.5), 77, atol=1e-4)


@pytest.mark.parametrize("change", [photometry.gamma, photometry.contrast, photometry.saturation])
def test_colors_stay_within_range(change):
    frame = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    found = change(frame, 1.8)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 255


def brought_back(patch: Patch, end: int, flow: np.ndarray) -> np.ndarray:
    """An end frame, read where the flow leads from the origin frame."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    frame = np.ascontiguousarray(patch.frames[end], np.float32)
    return cv2.remap(frame, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)


STEPS = [
    ("enlarge_twice", 1.0),
    ("crop", 1.0),
    ("flip_vertically", 1.0),
    ("flip_horizontally", 1.0),
    ("transpose", 1.0),
    ("reverse_time", 1.0),
    ("reverse_channels", 1.0),
    ("shuffle_channels", 1.0),
    ("translate", 0.05),
    ("rotate", (17.0, 5.0)),
    ("scaled_crop", 0.8),
]


@pytest.mark.parametrize(
    ("step", "pair"),
    # A pair's flow cannot be reversed, which Samples leaves out.
    [
        (step, pair)
        for step in STEPS
        for pair in (False, True)
        if step[0] != "reverse_time" or not pair
    ],
)
def test_flow_leads_to_the_same_content_afterwards(step, pair, textured):
    if pair:
        textured = Patch(textured.frames[1:], (0.0, 1.0), None, textured.flow[..., 2:])
    size = (192, 192) if step[0] == "enlarge_twice" else (96, 96)
    size = (64, 64) if step[0] in ("crop", "scaled_crop") else size
    for seed in range(3):
        random = np.random.default_rng(seed)
        patch = Augmentation([step], size)(textured, random)
        assert patch.size == size and patch.flow.shape[:2] == size
        for number, end in enumerate(patch.ends):
            flow = patch.flow[..., 2 * number : 2 * number + 2]
            back = brought_back(patch, end, flow)
            inside = (slice(32, -32),) * 2 if size[0] > 64 else (slice(14, -14),) * 2
            error = np.abs(back - patch.frames[patch.origin])[inside]
            assert np.median(error) < 2.5, f"seed {seed}, end {end}"
            # The same content elsewhere, or nothing moved at all, would be told apart.
            still = np.abs(np.float32(patch.frames[end]) - patch.frames[patch.origin])[inside]
            assert np.median(error) < np.median(still) / 3


def test_reversal_mirrors_time(textured, random):
    early = Patch(textured.frames, (0, 0.25, 1), 0.25, textured.flow)
    late = augment.reverse_time(early, random, (96, 96))
    assert late.time == 0.75 and late.moments == (0, 0.75, 1)
    assert late.frames[0] is early.frames[2]


def test_translation_moves_the_ends_apart(random):
    frame = np.zeros((60, 60, 3), np.uint8)
    frame[30, 30] = 255
    patch = Patch((frame,) * 3, (0, 0.25, 1), 0.25)
    seen = set()
    for seed in range(20):
        moved = augment.translate(patch, np.random.default_rng(seed), (60, 60), 0.1)
        spots = [np.argwhere(frame[..., 0])[0] - 30 for frame in moved.frames]
        np.testing.assert_array_equal(spots[0], -spots[2])
        np.testing.assert_allclose(spots[1], spots[0] * 0.5, atol=0.51)
        seen.add(tuple(spots[0]))
        assert max(abs(spots[0])) <= 6
    assert len(seen) > 10


def test_the_same_generator_gives_the_same_patch(textured):
    steps = [*STEPS, ("gamma", 0.1), ("gain", 0.1), ("contrast", 0.1), ("saturation", 0.1)]
    augmentation = Augmentation(steps, (64, 64))
    a, b, c = (augmentation(textured, np.random.default_rng(seed)) for seed in (3, 3, 4))
    for first, second in zip(a.frames, b.frames, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(a.frames[0], c.frames[0])


def test_probabilities_are_kept(textured):
    flipped = 0
    augmentation = Augmentation([("reverse_time", 0.2)], (96, 96))
    for seed in range(400):
        patch = augmentation(
            Patch(textured.frames, (0, 0.25, 1), 0.25), np.random.default_rng(seed)
        )
        flipped += patch.time == 0.75
    assert 55 < flipped < 105


@pytest.mark.parametrize("size", [(64, 64), (40, 96), (96, 96)])
def test_crops_reach_every_place(size, textured):
    tops = set()
    for seed in range(60):
        patch = Augmentation((), size)(textured, np.random.default_rng(seed))
        assert patch.size == size
        tops.add(patch.frames[0][0, 0].tobytes())
    assert len(tops) > 25 or size == (96, 96)


def test_crops_reach_the_borders(textured):
    corners = {textured.frames[0][y, x].tobytes() for y in (0, 1) for x in (0, 1)}
    found = {
        Augmentation((), (95, 95))(textured, np.random.default_rng(seed)).frames[0][0, 0].tobytes()
        for seed in range(40)
    }
    assert found == corners


def test_without_a_crop_enlarging_still_gives_the_size(textured):
    for seed in range(5):
        random = np.random.default_rng(seed)
        assert Augmentation([("enlarge_twice", 0.5)], (80, 80))(textured, random).size == (80, 80)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (("flip", 0.5), "there is no augmentation 'flip'; the names are: enlarge_twice, crop"),
        (("flip_vertically", 1.5), "takes a setting from 0 to 1"),
        (("flip_vertically", -0.1), "takes a setting from 0 to 1"),
        (("flip_vertically", "often"), "takes 1 numbers"),
        (("flip_vertically", float("nan")), "takes a setting from 0 to 1"),
        (("rotate", 17.0), "takes 2 numbers"),
        (("crop", 0.5), "always cropped"),
        ("crop", "is \\(name, setting\\)"),
        (("crop", 1.0, 2.0), "is \\(name, setting\\)"),
    ],
)
def test_wrong_steps_are_refused(step, said):
    with pytest.raises(InputError, match=said):
        Augmentation([step], (64, 64))


def test_transposing_needs_squares():
    with pytest.raises(InputError, match="needs square patches; they are 64x32"):
        Augmentation([("transpose", 0.05)], (32, 64))


def test_every_preset_names_augmentations_that_there_are():
    for preset in registry.presets().values():
        Augmentation(preset.training.get("augmentation", ()), (64, 64))
