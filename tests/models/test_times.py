"""How times are reached by halving."""

from fractions import Fraction

from tfvfi.models.times import parents, reached_by_halving


def test_parents_are_the_neighbours_whose_middle_it_is():
    for denominator in (2, 4, 8, 64):
        for numerator in range(1, denominator, 2):
            time = Fraction(numerator, denominator)
            before, after = parents(time)
            assert (before + after) / 2 == time
            assert max(before.denominator, after.denominator) < time.denominator


def test_only_fractions_of_powers_of_two_are_reached():
    assert reached_by_halving(0.375, (0.5,))
    assert not reached_by_halving(0.3, (0.5,))
    assert not reached_by_halving(0.25, (0.4,))
    assert not reached_by_halving(2.0**-11, (0.5,))
