"""Who goes where: splits by video, shards of all videos."""

import pytest

from tfvfi.data.clip_parts import Report
from tfvfi.data.sharding import TRAIN, VALIDATION, Place, share_out, split_names

NAMES = [f"clip{number}.mp4" for number in range(10)]


@pytest.mark.parametrize(
    ("videos", "share", "expected"),
    [(1, 0.5, 0), (2, 0.1, 1), (10, 0.0, 0), (10, 0.1, 1), (10, 0.34, 3), (10, 0.9, 9)],
)
def test_each_split_has_a_video_where_there_are_two(videos, share, expected):
    splits = split_names(NAMES[:videos], share, seed=0)
    assert list(splits.values()).count(VALIDATION) == expected
    assert list(splits.values()).count(TRAIN) == videos - expected


def test_splits_depend_on_names_and_seed_alone():
    for seed, expected in ((0, {"clip0.mp4", "clip9.mp4"}), (1, {"clip3.mp4", "clip6.mp4"})):
        splits = split_names(NAMES, 0.2, seed)
        assert {name for name in NAMES if splits[name] == VALIDATION} == expected
    assert split_names(NAMES[::-1], 0.2, 0) == split_names(NAMES, 0.2, 0)


def test_examples_are_mixed_and_none_is_lost():
    def report(name):
        return Report(name, (9, 9), {}, [], [], 0, list(range(100)))

    reports = {f"part{number}": report(name) for number, name in enumerate(NAMES[:4])}
    splits = dict(zip(NAMES, [TRAIN, TRAIN, TRAIN, VALIDATION], strict=False))
    shared = share_out(reports, splits, seed=0)
    assert len(shared[TRAIN]) == 300
    assert set(shared[TRAIN]) == {Place(f"part{k}", n) for k in range(3) for n in range(100)}
    assert {place.part for place in shared[VALIDATION]} == {"part3"}
    # All videos are in every stretch.
    for start in range(0, 300, 30):
        assert len({place.part for place in shared[TRAIN][start : start + 30]}) == 3
    assert share_out(reports, splits, seed=1)[TRAIN] != shared[TRAIN]
