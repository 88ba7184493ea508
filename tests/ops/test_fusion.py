"""Frames fused from several motions: the best motion wins, and both forms agree."""

import numpy as np
import pytest
from keras import ops

from tests.pictures import texture
from tfvfi.ops import portable
from tfvfi.ops.dispatch import inference
from tfvfi.ops.fusion import Motion, Sources, fuse
from tfvfi.ops.spline import coefficients


def sources(frame0, frame1):
    return Sources(
        *map(ops.convert_to_tensor, (frame0, frame1)), *map(coefficients, (frame0, frame1))
    )


def planes(shape, value):
    return ops.convert_to_tensor(np.full((*shape[:3], 1), value, "float32"))


def motion(shape, x, y, known=1.0):
    offsets = np.broadcast_to(np.array([x, y], "float32"), (*shape[:3], 2))
    return Motion(ops.convert_to_tensor(offsets.copy()), planes(shape, known))


def times(*values):
    return ops.reshape(ops.convert_to_tensor(np.array(values, "float32")), (-1, 1, 1, 1))


@pytest.mark.parametrize("context", [portable, inference])
def test_the_motion_whose_sources_agree_wins(context):
    # The picture moves by 4 pixels to the right.
    frame0, truth, frame1 = texture(24, 40), texture(24, 40, 1.0), texture(24, 40, 4.0)
    shape = frame0.shape
    guesses = [motion(shape, 4, 0), motion(shape, -3, 1), motion(shape, 0, 0)]
    with context():
        found, offsets = fuse(
            sources(frame0, frame1), guesses, planes(shape, 0.75), planes(shape, 1), times(0.25)
        )
    inside = np.s_[:, 6:-6, 6:-6]
    assert np.abs(np.asarray(found) - truth)[inside].max() < 0.05
    assert np.abs(np.asarray(offsets) - [4, 0])[inside].mean() < 0.1


@pytest.mark.parametrize("context", [portable, inference])
def test_where_content_is_hidden_only_the_known_motion_counts(context):
    frame0, frame1 = texture(16, 24), texture(16, 24, seed=1)
    shape = frame0.shape
    guesses = [motion(shape, 2, 0, known=0.0), motion(shape, 0, 0, known=1.0)]
    with context():
        _, offsets = fuse(
            sources(frame0, frame1), guesses, planes(shape, 1), planes(shape, 0), times(0.5)
        )
    assert np.abs(np.asarray(offsets)).max() < 0.01


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (1, 5, 3, 3), (2, 16, 130, 3), (3, 70, 9, 3)])
def test_the_native_form_is_the_portable_one(shape):
    draw = np.random.default_rng(0)

    def noise(channels, scale=1.0):
        values = draw.uniform(0, scale, (*shape[:3], channels)).astype("float32")
        return ops.convert_to_tensor(values)

    pair = sources(noise(3), noise(3))
    guesses = [Motion(9 * noise(2) - 4, noise(1)) for _ in range(4)]
    inputs = (pair, guesses, noise(1), noise(1), times(*np.linspace(0.2, 0.9, shape[0])))
    with portable():
        expected = fuse(*inputs)
    with inference():
        found = fuse(*inputs)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        # The portable form adds positions to what it subtracts again, and sharpens differences.
        np.testing.assert_allclose(one, other, atol=1e-3)
        assert np.abs(np.asarray(one) - np.asarray(other)).mean() < 2e-5


@pytest.mark.parametrize("context", [portable, inference])
def test_a_motion_that_is_not_a_number_gives_no_number_around_it_only(context):
    frame = texture(16, 24)
    offsets = np.zeros((1, 16, 24, 2), "float32")
    offsets[0, 8, 12] = np.nan
    guesses = [Motion(ops.convert_to_tensor(offsets), planes(frame.shape, 1))]
    with context():
        found, _ = fuse(
            sources(frame, frame),
            guesses,
            planes(frame.shape, 0.5),
            planes(frame.shape, 1),
            times(0.5),
        )
    wrong = np.isnan(np.asarray(found)).any(axis=-1)[0]
    assert wrong[6:11, 10:15].all() and wrong.sum() == 25
