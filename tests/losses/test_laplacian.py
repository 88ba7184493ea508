"""The Laplacian pyramid: nothing is lost, details lie where they belong, weights are as told."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from keras import ops

from tests.gradients import value_and_gradients
from tfvfi.losses import laplacian, laplacian_pyramid
from tfvfi.ops import resize

SIZES = [(64, 96), (37, 53), (16, 16), (3, 5)]


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(size=(2, height, width, 3)).astype("float32")


@pytest.mark.parametrize("size", SIZES)
def test_the_levels_add_up_to_the_image(size):
    image = noise(*size)
    pyramid = laplacian_pyramid(image, 4)
    found = pyramid[-1]
    for level in reversed(pyramid[:-1]):
        found = level + resize(found, tuple(level.shape[1:3]))
    np.testing.assert_allclose(found, image, atol=1e-6)
    sides = [tuple(level.shape[1:3]) for level in pyramid]
    for large, small in pairwise(sides):
        assert small == tuple(-(-side // 2) for side in large)


def test_smoothing_is_that_of_opencv():
    """OpenCV's pyrDown has the same filter, and the same border when that is repeated."""
    image = noise(40, 56)[:1]
    _, smaller = laplacian_pyramid(image, 2)
    padded = cv2.copyMakeBorder(image[0], 8, 8, 8, 8, cv2.BORDER_REPLICATE)
    expected = cv2.pyrDown(padded)[4:-4, 4:-4]
    np.testing.assert_allclose(np.asarray(smaller)[0], expected, atol=1e-6)


def test_the_loss_is_the_weighted_sum_of_differences():
    image, target = noise(32, 48), noise(32, 48, 1)
    levels = [laplacian_pyramid(each, 5) for each in (image, target)]
    sums = [np.abs(np.asarray(a) - np.asarray(b)).sum() for a, b in zip(*levels, strict=True)]
    expected = sum(2**at * total for at, total in enumerate(sums)) / image.size
    np.testing.assert_allclose(laplacian(image, target), expected, rtol=1e-5)
    np.testing.assert_allclose(laplacian(image, target, levels=1), np.abs(image - target).mean())


def test_detail_is_seen_by_the_finest_level_and_light_by_the_coarsest():
    board = (np.indices((64, 64)).sum(0)[None, ..., None] % 2 - 0.5).astype("float32")
    fine = [float(ops.mean(ops.abs(level))) for level in laplacian_pyramid(board, 5)]
    assert fine[0] > 0.49 and max(fine[1:]) < 2e-3
    light = [float(ops.mean(ops.abs(level))) for level in laplacian_pyramid(board * 0 + 1, 5)]
    assert max(light[:-1]) < 1e-6 and light[-1] == pytest.approx(1)


def test_gradients():
    image, target = noise(12, 20)[:1].astype("float64"), noise(12, 20, 1)[:1]
    loss = lambda image: laplacian(ops.cast(image, "float32"), target)  # noqa: E731
    _, (gradient,) = value_and_gradients(loss, [image], np.array(1.0, "float32"), compiled=True)
    step = np.random.default_rng(3).normal(size=image.shape) * 1e-3
    change = float(loss(image + step)) - float(loss(image - step))
    np.testing.assert_allclose(change, 2 * np.sum(gradient * step), rtol=0.02)
