"""The formulas: how many frames, and when."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tfvfi.media.shown import Shown
from tfvfi.video.timeline import Factor, Rate, settled, spans


def outcome(times, end, wanted):
    """(first frame, share, time) of every output frame."""
    last = Fraction(end) - Fraction(times[-1])
    shown = [Shown(np.array(number), Fraction(time), last) for number, time in enumerate(times)]
    made = []
    found = spans(shown, wanted)
    for span in settled(found, wanted):
        made += [
            (int(span.first), share, time)
            for share, time in zip(span.shares, span.times, strict=True)
        ]
    return made


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_factor_divides_every_span(factor):
    times = [0, Fraction(1, 10), Fraction(3, 10), Fraction(4, 10)]
    made = outcome(times, Fraction(1, 2), Factor(factor))
    assert len(made) == 4 * factor
    assert [time for _, share, time in made if not share][:3] == times[:3]
    assert (1, Fraction(factor - 1, factor)) in [made_one[:2] for made_one in made]
    assert all(a[2] < b[2] for a, b in pairwise(made))


def test_pictures_have_no_after():
    made = outcome([0, 1, 2], 3, Factor(4, clock=False))
    assert len(made) == 2 * 4 + 1
    assert made[-1] == (2, 0, 2)


RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(60), Fraction(60000, 1001)]


@pytest.mark.parametrize("source", RATES)
@pytest.mark.parametrize("wanted", [Fraction(7), Fraction(1001, 100), *RATES, Fraction(240)])
@pytest.mark.parametrize("frames", [1, 2, 3, 17])
def test_rate_keeps_the_duration_within_half_a_frame(source, wanted, frames):
    end = frames / source
    made = outcome([number / source for number in range(frames)], end, Rate(wanted))
    assert len(made) == Rate(wanted).count(frames, end)
    if len(made) > 1:
        assert abs(len(made) / wanted - end) <= 1 / (2 * wanted)
    assert [time for _, _, time in made] == [number / wanted for number in range(len(made))]


def test_rate_finds_the_right_place_between_uneven_frames():
    times = [Fraction(5, 10), Fraction(6, 10), Fraction(9, 10)]
    made = outcome(times, 1, Rate(Fraction(20)))
    assert made[0] == (0, 0, Fraction(1, 2))
    assert made[1] == (0, Fraction(1, 2), Fraction(11, 20))
    assert made[3] == (1, Fraction(1, 6), Fraction(13, 20))
    assert made[-1] == (2, 0, Fraction(19, 20))


@pytest.mark.parametrize("wanted", [Rate(Fraction(7)), Rate(Fraction(240)), Factor(3)])
def test_each_pair_is_given_out_once_with_all_that_is_wanted_of_it(wanted):
    """A network is then asked once for a pair, and computes once what its frames share."""
    shown = [Shown(np.array(number), Fraction(number, 24), Fraction(0)) for number in range(20)]
    firsts = [int(span.first) for span in settled(spans(shown, wanted), wanted)]
    assert len(firsts) == len(set(firsts))


@pytest.mark.parametrize("last", [Fraction(1, 1000), Fraction(1, 100), Fraction(1)])
def test_the_end_decides_on_the_last_frame(last):
    """Where the last source frame is short, the frame before its start may be one too many."""
    end = Fraction(2, 10) + last
    made = outcome([0, Fraction(1, 10), Fraction(2, 10)], end, Rate(Fraction(6)))
    assert len(made) == max(1, math.ceil(end * 6 - Fraction(1, 2)))
    assert [time for *_, time in made] == [Fraction(number, 6) for number in range(len(made))]


def test_even_doubling_is_exact_for_ntsc():
    source = Fraction(24000, 1001)
    times = [number / source for number in range(5)]
    by_rate = outcome(times, 5 / source, Rate(2 * source))
    assert [share for _, share, _ in by_rate] == [0, Fraction(1, 2)] * 4 + [0, 0]
