"""Learning rates by hand."""

import math

import pytest

from tfvfi.models.schedules import LearningRate


def test_cosine_after_a_warm_up():
    rate = LearningRate(2.0, steps=110, shape="cosine", last=0.5, warm_up=10)
    by_hand = {0: 0.2, 4: 1.0, 9: 2.0, 10: 2.0, 110: 0.5, 500: 0.5}
    by_hand[35] = 0.5 + 1.5 * (1 + math.cos(math.pi / 4)) / 2
    for step, expected in by_hand.items():
        assert float(rate(step)) == pytest.approx(expected, rel=1e-5)


def test_steps_and_constant():
    rate = LearningRate(1e-4, steps=500, shape="steps", milestones=(0.5, 0.9), factor=0.1)
    found = [float(rate(step)) for step in (0, 249, 250, 449, 450, 499)]
    assert found == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6])
    assert float(LearningRate(1e-3, steps=5)(4)) == pytest.approx(1e-3)


def test_config_builds_it_again():
    rate = LearningRate(2.0, steps=110, shape="cosine", last=0.5, warm_up=10)
    again = LearningRate.from_config(rate.get_config())
    assert float(again(60)) == float(rate(60)) != float(rate(61))
