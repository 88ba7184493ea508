"""The comparison of training steps: its table and its processes."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests import commands
from tfvfi.benchmark.contender import RefusedError
from tfvfi.cli import command

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    """Imports a module as the script does, which finds its neighbors first."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def row(table, **changes):
    made = table.Row(
        "ifrnet_s", 8, 128, "eager", "torch 2", "ifrnet", 3, 0.2, 0.1, 0.4, 2.0, 100.0,
        "https://github.com/a/b at c0ffee", "MIT", "", "a machine", 2, "2026-11-29",
    )  # fmt: skip
    return replace(made, **changes)


def failed(table):
    nothing = dict.fromkeys(("median_s", "lowest_s", "highest_s", "ours_is_faster", "peak_mib"))
    return row(table, engine="compile", steps=0, note="it | failed", **nothing)


def test_a_table_is_read_as_it_was_written(part, tmp_path):
    table = part("originals.training_table")
    rows = [row(table, engine="tfvfi", median_s=0.1, ours_is_faster=1.0), row(table), failed(table)]
    table.write(rows, tmp_path)
    assert table.read(tmp_path / "training.csv") == rows
    lines = (tmp_path / "training.md").read_text().splitlines()
    assert "## a machine" in lines
    eager = "| eager (torch 2) | 5.000 | 0.200 | 0.100 to 0.400 | 2.00 | 100 |  |"
    assert f"| ifrnet_s | 8, 128 | ifrnet {eager}" in lines
    assert [line for line in lines if "compile" in line and "it / failed" in line]


def test_measuring_again_replaces_only_the_same_rows(part):
    table = part("originals.training_table")
    other, again = row(table, network="sepconv"), row(table, median_s=0.3)
    assert table.merged([row(table), failed(table), other], [again]) == [other, again]


def test_a_process_that_fails_or_is_slow_is_refused(part, tmp_path):
    work = part("originals.steps").Work("eager", "ifrnet_s", str(tmp_path), 1, 16, 1)
    trainee = part("originals.trainee").Trainee(work, 0.01)
    with pytest.raises(RefusedError, match="more than the time limit of 0 seconds"):
        trainee.step()
    trainee.limit = 60
    with pytest.raises(RefusedError, match="ModuleNotFoundError: No module named"):
        trainee.step()
    trainee.stop()


@pytest.mark.parametrize(
    ("argument", "said"),
    [("--networks=pwcnet", "--networks takes ifrnet_s"), ("--engines=x", "--engines takes eager")],
)
def test_mistakes_get_one_sentence(part, argument, said, capsys):
    assert commands.run(part("training"), argument) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
