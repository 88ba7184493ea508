"""Runs that are killed at any moment go on as if nothing had happened."""

import random
import time

import numpy as np
import pytest

from tests.training import processes, tiny
from tfvfi.errors import InputError
from tfvfi.training import checkpoints
from tfvfi.training.folder import RunFolder
from tfvfi.training.session import train
from tfvfi.training.settings import Settings

tiny.register()
RUN = {
    "model": "tiny_noisy",
    "batch_size": 4,
    "interval": 5,
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "clip": 0.5,
    "ema": 0.9,
}


def killed_and_whole(tmp_path, steps: int, kills: int, **asked) -> tuple[dict, dict, list[int]]:
    """What a run leaves that was killed at random moments, one that was not, and the steps done."""
    run = {**RUN, "records": tiny.records(tmp_path / "records"), "steps": steps, **asked}
    chance, reached = random.Random(0), []
    for _ in range(kills):
        process = processes.start({**run, "output": str(tmp_path / "killed")})
        said = process.stdout.readline()
        if "continues from here" in said:
            said = process.stdout.readline()
        assert said.startswith("step ")
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.communicate()
        newest = checkpoints.newest(tmp_path / "killed" / "checkpoints")
        reached.append(checkpoints.read_state(newest).step)
    train(Settings(**run, output=str(tmp_path / "killed")), quiet=True)
    whole = train(Settings(**run, output=str(tmp_path / "whole")), quiet=True)
    return tiny.weights(tmp_path / "killed"), tiny.weights(whole), reached


def assert_same(some: dict, other: dict) -> None:
    """Every array of both checkpoints is the same, bit by bit."""
    assert sorted(some) == sorted(other)
    for name, array in some.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def rows(path) -> list[str]:
    """The metrics without the seconds, which differ."""
    lines = [line.split(",") for line in (path / "metrics.csv").read_text().splitlines()]
    return [",".join(line[:1] + line[2:]) for line in lines]


def test_a_killed_run_ends_with_equal_weights(tmp_path):
    killed, whole, reached = killed_and_whole(tmp_path, steps=300, kills=1)
    assert 0 < reached[0] < 300
    assert_same(killed, whole)
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
    kept = [path.name for path in (tmp_path / "killed" / "checkpoints").iterdir()]
    assert {"step-000000295.npz", "step-000000300.npz"} <= set(kept) and len(kept) <= 3


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path):
    killed, whole, reached = killed_and_whole(tmp_path, steps=3000, kills=20, interval=10)
    assert sorted(set(reached)) == reached and reached[-1] < 3000
    assert_same(killed, whole)
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    run = {**RUN, "records": tiny.records(tmp_path / "records"), "output": str(tmp_path / "run")}
    folder = train(Settings(**run, steps=15), quiet=True) / "checkpoints"
    newest = checkpoints.newest(folder)
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 0xFF
    newest.write_bytes(data)
    assert checkpoints.read_state(checkpoints.newest(folder)).step == 10
    before = rows(tmp_path / "run")
    train(Settings(**run, steps=15), quiet=True)
    assert checkpoints.read_state(checkpoints.newest(folder)).step == 15
    assert rows(tmp_path / "run") == before and len(before) == 4


def test_a_run_that_was_killed_as_it_began_begins_again(tmp_path):
    run = {**RUN, "records": tiny.records(tmp_path / "records"), "output": str(tmp_path / "run")}
    (tmp_path / "run").mkdir()
    for name in ("lock", "run.json.123.unfinished"):
        (tmp_path / "run" / name).touch()
    folder = train(Settings(**run, steps=5), quiet=True)
    assert checkpoints.newest(folder / "checkpoints") and not list(folder.glob("*.unfinished"))


def test_one_process_has_a_run_alone(tmp_path):
    records, output = tiny.records(tmp_path / "records"), tmp_path / "run"
    with (
        RunFolder(output).alone(),
        pytest.raises(InputError, match="another process is writing in"),
    ):
        train(Settings(**RUN, records=records, output=str(output), steps=5), quiet=True)
    assert [path.name for path in output.iterdir()] == ["lock"]


def test_a_run_is_continued_with_what_it_was_told(tmp_path):
    records, output = tiny.records(tmp_path / "records"), str(tmp_path / "run")
    train(Settings(**RUN, records=records, output=output, steps=10), quiet=True)
    again = train(Settings("tiny_noisy", records, output, ema=0.9, clip=0.5, steps=15), quiet=True)
    assert checkpoints.read_state(checkpoints.newest(again / "checkpoints")).step == 15
    with pytest.raises(InputError, match=r"`batch_size` \(then 4, now 8\)"):
        train(Settings("tiny_noisy", records, output, batch_size=8, clip=0.5), quiet=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no run"):
        train(Settings("tiny_noisy", records, str(tmp_path / "other")), quiet=True)
    assert (tmp_path / "other" / "notes.txt").exists()
