"""Joining maps along their channels, and splitting them again, in both forms."""

import keras
import numpy as np
import pytest

from tests.gradients import to_numpy, value_and_gradients
from tfvfi.ops import native_available
from tfvfi.ops.channels import join, split

# Narrow, wide, and so wide that the native form processes pixel by pixel.
WIDTHS = [(3,), (1, 2, 3, 4), (5, 0, 7), (2, 40, 1), (64, 3, 65)]


def maps(widths, size=(2, 7, 9)):
    draw = np.random.default_rng(sum(widths))
    return [draw.normal(size=(*size, width)).astype("float32") for width in widths]


def tensors(widths, size=(2, 7, 9)):
    return [keras.ops.convert_to_tensor(each) for each in maps(widths, size)]


@pytest.mark.parametrize("widths", WIDTHS)
def test_joined_maps_lie_side_by_side(form, tracing, widths):
    parts = maps(widths)
    upstream = np.random.default_rng(0).normal(size=(2, 7, 9, sum(widths))).astype("float32")
    out, gradients = value_and_gradients(lambda *each: join(each), parts, upstream, **tracing)
    np.testing.assert_array_equal(out, np.concatenate(parts, axis=-1))
    ends = np.cumsum(widths)
    for gradient, width, end in zip(gradients, widths, ends, strict=True):
        np.testing.assert_array_equal(gradient, upstream[..., end - width : end])


@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("widths", WIDTHS)
def test_split_maps_are_what_was_joined(form, tracing, widths, left):
    parts = maps((*widths, left))
    out, (gradient,) = value_and_gradients(
        # The first part twice: its gradient must be twice as large.
        lambda whole: join([*split(whole, widths), split(whole, widths)[0]]),
        [np.concatenate(parts, axis=-1)],
        np.ones((2, 7, 9, sum(widths) + widths[0]), "float32"),
        **tracing,
    )
    np.testing.assert_array_equal(out, np.concatenate([*parts[:-1], parts[0]], axis=-1))
    first, rest, beyond = np.split(gradient, (widths[0], sum(widths)), axis=-1)
    assert np.all(first == 2) and np.all(rest == 1) and np.all(beyond == 0)
    assert beyond.shape[-1] == left


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("widths", [(3, 1, 4), (70, 3, 20)])
def test_types_may_differ(form, widths, dtype):
    mixed = [
        keras.ops.cast(each, kind)
        for each, kind in zip(maps(widths), ("float32", "bfloat16", "float16"), strict=True)
    ]
    out = join(mixed, dtype)
    assert keras.ops.dtype(out) == dtype
    expected = keras.ops.concatenate([keras.ops.cast(each, dtype) for each in mixed], axis=-1)
    np.testing.assert_array_equal(to_numpy(out), to_numpy(expected))
    # The first map decides if no type is given.
    assert keras.ops.dtype(join(mixed[1:])) == "bfloat16"


@pytest.mark.skipif(not native_available(), reason="needs the compiled operations")
@pytest.mark.parametrize(
    ("widths", "sizes"), [((3, 4), (3, 5)), ((3, 4), (8,))], ids=["last", "first"]
)
def test_parts_that_do_not_fit_are_refused(widths, sizes):
    whole = join(tensors(widths))
    with pytest.raises(Exception, match="must fit into the channels"):
        split(whole, sizes)


@pytest.mark.skipif(not native_available(), reason="needs the compiled operations")
def test_maps_of_different_sizes_are_refused():
    with pytest.raises(Exception, match="agree in size"):
        join([*tensors((3,)), *tensors((3,), size=(2, 7, 8))])


def test_numbers_are_rounded_to_the_nearest(form):
    special = np.array([np.nan, np.inf, -0.0, 1.00390625, 1.01171875], "float32")
    out = join([special.reshape(1, 1, 1, 5), np.zeros((1, 1, 1, 1), "float32")], "bfloat16")
    # Between two numbers, ties go to the even one.
    np.testing.assert_array_equal(to_numpy(out).ravel(), [np.nan, np.inf, 0, 1, 1.015625, 0])
