"""Speed-up by the number of cores: its table, its processes and its order of cores."""

import os

import pytest

from tests import commands
from tfvfi.cli import command


@pytest.fixture
def scaling(part):
    module = part("scaling")
    yield module
    module.FLAGS.unparse_flags()


def test_rows_relate_medians_to_the_fewest_cores(scaling):
    scaling.FLAGS(["scaling", "--size=64x32"])
    one, four = scaling.rows("ifrnet_s", {1: [3.0, 1.0, 2.0], 4: [0.8]})
    assert (one.median_s, one.lowest_s, one.highest_s, one.runs) == (2.0, 1.0, 3.0, 3)
    assert (one.speed_up, one.efficiency) == (1.0, 1.0)
    assert (four.speed_up, four.efficiency) == (2.5, 0.625)
    page = scaling.markdown([one, four])
    assert "| ifrnet_s | 4 | 0.800 | 0.800 to 0.800 | 2.50 | 62% |" in page
    assert "## 64x32 in float32 on " in page


def test_rows_over_several_cores_are_relative_to_the_first(scaling):
    scaling.FLAGS(["scaling"])
    two, four = scaling.rows("ifrnet_s", {2: [1.0], 4: [0.5]})
    assert (two.efficiency, four.efficiency) == (1.0, 1.0)


def test_physical_cores_come_before_their_second_threads(scaling, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(scaling, "_physical", lambda core: (str(core % 4),))
    assert scaling.ordered_cores() == [0, 1, 2, 3, 4, 5, 6, 7]
    monkeypatch.setattr(scaling, "_physical", lambda core: (str(core // 2),))
    assert scaling.ordered_cores() == [0, 2, 4, 6, 1, 3, 5, 7]


def test_only_the_processes_started_inside_are_pinned(scaling):
    before = os.sched_getaffinity(0)
    with scaling.pinned([min(before)]):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def test_powers_of_two_and_all_cores_are_measured(scaling):
    assert scaling._counts([], 1) == [1]
    assert scaling._counts([], 12) == [1, 2, 4, 8, 12]
    assert scaling._counts(["4", "1"], 12) == [1, 4]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--cores=0", "--cores takes numbers from 1 to"),
        ("--cores=one", "such as 1,2. Received: one"),
        ("--networks=nothing", "there is no model"),
        ("--networks=", "--networks takes at least one name"),
        ("--size=64", "such as 1280x720"),
    ],
)
def test_mistakes_get_one_sentence(scaling, argument, said, capsys):
    assert commands.run(scaling, argument) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.slow
def test_a_network_is_measured_and_its_rows_replaced(scaling, tmp_path):
    flags = ("--networks=flow_interpolation", "--size=64x32", "--cores=1", f"--results={tmp_path}")
    for rounds in (2, 1):
        assert commands.run(scaling, *flags, f"--rounds={rounds}") == command.DONE
    (row,) = scaling.sheets.read(tmp_path / "scaling.csv", scaling.Row)
    assert (row.cores, row.runs, row.speed_up) == (1, 1, 1.0)
    assert "flow_interpolation" in (tmp_path / "scaling.md").read_text()
