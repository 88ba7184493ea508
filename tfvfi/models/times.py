"""Which times a network supports, and how other times are reached from them."""

from collections.abc import Sequence
from fractions import Fraction

from tfvfi.errors import InputError
from tfvfi.models.preset import AnyTimes

# Ten halvings give 1,023 frames between two; a finer time is surely a mistake.
DEEPEST_HALVING = 10


def check_times(name: str, times: Sequence[float], answered: AnyTimes | tuple[float, ...]) -> None:
    """Raises an error, in one sentence, for times that a network cannot reach."""
    for time in times:
        if not 0 <= time <= 1:
            raise InputError(f"a time lies between 0 (first frame) and 1 (second); received {time}")
        if answered != "any" and time not in answered and not reached_by_halving(time, answered):
            listed = ", ".join(f"{answer:g}" for answer in answered)
            raise InputError(
                f"these weights of {name} answer time {listed} only, which reaches fractions "
                f"of 2, 4, 8, ... by halving; received {time:g}: ask for such a time, or load "
                "weights that answer any"
            )


def reached_by_halving(time: float, answered: tuple[float, ...]) -> bool:
    """Returns whether repeated halving leads to `time`."""
    return 0.5 in answered and Fraction(time).denominator <= 2**DEEPEST_HALVING


def parents(time: Fraction) -> tuple[Fraction, Fraction]:
    """Returns the two times whose middle is `time`, which repeated halving must reach.

    Example:
        >>> parents(Fraction(3, 8))
        (Fraction(1, 4), Fraction(1, 2))
    """
    step = Fraction(1, time.denominator)
    return time - step, time + step
