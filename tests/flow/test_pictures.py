"""Flow as color: the published wheel, directions, lengths, unknown pixels, the legend."""

import numpy as np
import pytest

from tfvfi.flow.pictures import (
    color_wheel,
    flow_to_color,
    legend,
    longest_shown,
    statistics,
    with_legend,
)


def test_the_wheel_is_the_published_one():
    wheel = np.rint(255 * color_wheel()).astype(int)
    assert wheel.shape == (55, 3)
    # The corners of the published table, and one hue inside each of two stretches.
    starts = {0: (255, 0, 0), 15: (255, 255, 0), 21: (0, 255, 0), 25: (0, 255, 255)}
    starts |= {36: (0, 0, 255), 49: (255, 0, 255), 1: (255, 17, 0), 54: (255, 0, 43)}
    for place, color in starts.items():
        np.testing.assert_allclose(wheel[place], color, atol=1, err_msg=str(place))


@pytest.mark.parametrize(
    ("vector", "color"),
    [
        ((5, 0), (255, 0, 0)),  # right: red
        ((0, 5), (255, 229, 0)),  # down: yellow
        ((-5, 0), (0, 209, 255)),  # left: light blue
        ((0, -5), (88, 0, 255)),  # up: violet
    ],
)
def test_directions(vector, color):
    picture = flow_to_color(np.array([[vector]], "float32"), longest=5.0)
    np.testing.assert_allclose(picture[0, 0], color, atol=1)


def test_lengths_fade_to_white_and_darken_beyond():
    flow = np.array([[(0, 0), (1, 0), (2, 0), (4, 0)]], "float32")
    picture = flow_to_color(flow, longest=2.0)
    assert picture.tolist() == [[[255, 255, 255], [255, 127, 127], [255, 0, 0], [191, 0, 0]]]


def test_unknown_pixels_are_black_and_do_not_set_the_scale():
    flow = np.full((4, 4, 2), (3, 0), "float32")
    flow[0, 0], flow[0, 1], flow[0, 2] = 1e10, np.nan, np.inf
    picture = flow_to_color(flow)
    assert not picture[0, :3].any()
    np.testing.assert_array_equal(picture[1:].reshape(-1, 3), [[255, 0, 0]] * 12)
    assert longest_shown([flow]) == 3
    assert statistics(flow)["known"] == 13 / 16 and statistics(flow)["max_length"] == 3


def test_no_motion_at_all_is_white():
    still = np.zeros((3, 3, 2), "float32")
    assert (flow_to_color(still) == 255).all() and longest_shown([still]) == 1


def test_a_scale_for_many_flows_ignores_outliers():
    flows = [np.full((20, 20, 2), (length, 0), "float32") for length in (1, 6)]
    flows[0][0, 0] = (500, 0)
    assert longest_shown(flows) == 6


def test_legend_shows_every_direction_and_the_length():
    wheel = legend(12.34, side=101)
    assert wheel.shape == (101 + 16, 101, 3)
    for (x, y), vector in (((97, 53), (1, 0)), ((53, 97), (0, 1)), ((3, 53), (-1, 0))):
        expected = flow_to_color(np.array([[vector]], "float32"), longest=1.0)[0, 0].astype(int)
        np.testing.assert_allclose(wheel[y, x], expected, atol=40)
    assert (wheel[0, 0] == 255).all()
    text = wheel[101:].astype(int)
    assert text.min() < 100
    assert (text != legend(99.0, side=101)[101:]).any()


@pytest.mark.parametrize("size", [(480, 640), (20, 30), (1, 1)])
def test_legend_stands_beside_the_picture(size):
    picture = np.full((*size, 3), 7, "uint8")
    whole = with_legend(picture, 3.0)
    np.testing.assert_array_equal(whole[: size[0], : size[1]], picture)
    assert whole.shape[1] > size[1]


def test_statistics():
    flow = np.array([[(3, 4), (0, 0)], [(-3, -4), (6, 8)]], "float32")
    found = statistics(flow)
    assert found == {
        "mean_x": 1.5,
        "mean_y": 2.0,
        "mean_length": 5.0,
        "median_length": 5.0,
        "p95_length": pytest.approx(9.25),
        "max_length": 10.0,
        "known": 1.0,
    }
    assert np.isnan(statistics(np.full((2, 2, 2), np.nan))["mean_length"])
