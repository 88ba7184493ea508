"""Which frames are read: those that the published loaders read."""

import json
from pathlib import Path

import pytest

from tfvfi.data.sampling import Picked, Sampling
from tfvfi.errors import InputError

FILE = Path(__file__).parent.parent / "golden" / "superslomo" / "sampling.json"
CASES = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['loader']}-{case['clip_lengths']}")
def test_frames_of_the_published_loaders(case):
    sampling = Sampling(case["num_interp"], case["sample_rate"], case["step_size"])
    cycle = case["loader"] == "CycleVideoInterp" and case["training"]
    assert [sampling.count(length, cycle) for length in case["clip_lengths"]] == case["counts"]
    samples = [(clip, at) for clip, count in enumerate(case["counts"]) for at in range(count)]
    assert len(samples) == len(case["items"])
    for (clip, sample), item in zip(samples, case["items"], strict=True):
        assert item["clip"] == clip
        if not case["training"]:
            assert list(sampling.sequence(sample)) == item["frames"]
            continue
        pick = sampling.cycle if cycle else sampling.triplet
        frames, time = pick(sample, item["draw_target"], bool(item["draw_reverse"]))
        assert list(frames) == item["frames"]
        assert time == item["tindex"] / (case["num_interp"] + 1)


@pytest.mark.parametrize("num_interp", [1, 3, 7])
@pytest.mark.parametrize("sample_rate", [0, 1, 2])
@pytest.mark.parametrize("step_size", [None, 1, 3, 16])
def test_no_sample_leaves_its_clip(num_interp, sample_rate, step_size):
    sampling = Sampling(num_interp, sample_rate, step_size)
    for length in range(40):
        for sample in range(sampling.count(length)):
            assert max(sampling.sequence(sample)) < length
        for sample in range(sampling.count(length, cycle=True)):
            assert max(sampling.cycle(sample, target=0).frames) < length


def test_steps_default_to_the_frames_seen():
    assert Sampling(3) == Sampling(3, 1, None)
    assert Sampling(3).triplet(2, 0) == Picked((8, 9, 12), 0.25)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Sampling(0), "`num_interp` is at least 1. Received: 0"),
        (lambda: Sampling(3, -1), "`sample_rate` is at least 0. Received: -1"),
        (lambda: Sampling(3, 1, 0), "`step_size` is at least 1. Received: 0"),
        (lambda: Sampling(3).triplet(0, 3), "target is from 0 to 2. Received: 3"),
        (lambda: Sampling(3, 0).triplet(0, 1), "needs a true frame. Received: sample_rate=0"),
    ],
)
def test_mistakes_are_told(make, said):
    with pytest.raises(InputError, match=said):
        make()
