"""The benchmark: fair turns, all of the operations, figures that are written as shown."""

import csv

import numpy as np
import pytest

import tfvfi.cli.benchmark as tool
from tests.gradients import value_and_gradients
from tests.ops.conftest import assert_close
from tfvfi import ops
from tfvfi.benchmark import operations, timing
from tfvfi.cli import command


def test_contestants_take_turns_after_a_run_that_is_not_counted():
    calls = []
    works = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = timing.contest(works, repeats=3)
    assert calls == list("ab" * 4)
    assert [len(times[name]) for name in "ab"] == [3, 3]


def test_a_contestant_beyond_its_budget_runs_once():
    calls = []
    times = timing.contest({"slow": lambda: calls.append(0)}, repeats=9, budget=0.0)
    assert len(times["slow"]) == len(calls) == 1


def test_medians_and_their_ratio(tmp_path):
    times = {"portable": [0.3, 0.1, 0.2], "native": [0.05, 0.04, 9.0]}
    rows = timing.timings("warp", "1x2x3x4", "forward", times, threads=2)
    assert [row.median_ms for row in rows] == [200, 50]
    assert [row.first_over_this for row in rows] == [1, 4]
    timing.write_csv(rows, tmp_path / "new" / "speed.csv")
    with (tmp_path / "new" / "speed.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [(row["form"], float(row["median_ms"])) for row in read] == [
        ("portable", 200),
        ("native", 50),
    ]
    assert timing.table(rows).splitlines()[2].split() == list(read[1].values())


def test_every_operation_is_timed_both_ways():
    shown = []
    rows = operations.measure(64, 40, repeats=1, only="warp", show=shown.append)
    forms = ["portable", "native"] if ops.native_available() else ["portable"]
    timed = {(row.subject, row.shape, row.direction, row.form) for row in rows}
    assert timed >= {
        (f"backward_warp {padding}", f"1x40x64x{channels}", direction, form)
        for padding in ("border", "zeros")
        for channels in (3, 32)
        for direction in ("forward", "backward")
        for form in forms
    }
    assert all(row.median_ms > 0 for row in rows)
    assert any("threads" in line for line in shown)
    assert {subject.operation for subject in operations.subjects()} == {
        "backward_warp",
        "splat",
        "correlation",
        "resize",
        "local_convolution",
        "separable_convolution",
    }


@pytest.mark.parametrize("size", ["720", "0x720", "axb", "1280x720x3"])
def test_sizes_that_are_none(size, capsys):
    assert run("--ops", f"--size={size}") == command.WRONG_FLAGS
    assert "such as 1280x720" in capsys.readouterr().err


def test_the_command_writes_what_it_shows(tmp_path, capsys):
    output = tmp_path / "ops.csv"
    options = ("--size=40x32", "--repeats=1", "--ops_filter=resize", "--nomemory")
    assert run("--ops", *options, f"--output={output}") == command.DONE
    shown = capsys.readouterr().out
    with output.open() as file:
        for row in csv.DictReader(file):
            assert row["median_ms"] in shown
    assert run("--ops", *options, "--ops_filter=nothing") == command.FAILED
    assert run() == command.WRONG_FLAGS


def run(*arguments):
    tool.FLAGS.unparse_flags()
    for flag in tool.FLAGS:
        tool.FLAGS[flag].unparse()
    return command.exit_code(tool.main, tool.FLAGS, ["benchmark", *arguments])


@pytest.mark.slow
@pytest.mark.parametrize(
    "subject", list(operations.subjects()), ids=lambda s: f"{s.label}-{s.channels}"
)
def test_what_pytorch_runs_computes_the_same(subject):
    from tfvfi.benchmark import torch_operations

    arrays = subject.inputs(18, 22)
    forward, backward = torch_operations.form(subject.operation, subject.options, arrays)
    theirs = forward()
    theirs = theirs.numpy()
    theirs = theirs if subject.operation == "correlation" else np.moveaxis(theirs, 1, -1)

    def function(*inputs):
        return getattr(ops, subject.operation)(*inputs, **subject.options)

    ours, gradients = value_and_gradients(function, arrays, np.ones_like(theirs))
    assert_close(theirs, ours, 2e-4)
    assert len(backward()) == len(gradients)
