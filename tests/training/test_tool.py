"""tools/train.py as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training import tiny

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "tools/train.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture
def parsed():
    """The tool's flags, which forget afterwards what a test said."""
    from tfvfi.cli import train

    yield train.FLAGS
    for name in train.FLAGS:
        train.FLAGS[name].unparse()


@pytest.mark.slow
def test_flow_network_from_the_command_line(tmp_path):
    where = [f"--records={tiny.records(tmp_path / 'records')}", f"--output={tmp_path / 'run'}"]
    much = ["--steps=1", "--batch_size=2", "--validation_limit=2"]
    done = run("--model=flow_interpolation", "--flow=flownet2_s", *where, *much, "--noaugment")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("step 1/1: ") and not done.stderr
    with np.load(tmp_path / "run" / "checkpoints" / "step-000000001.npz") as kept:
        assert len(kept.files) > 50


def test_overwriting_forgets_a_run(parsed, tmp_path, capsys):
    from tfvfi.cli import command, train

    tiny.register()
    where = [f"--records={tiny.records(tmp_path / 'records')}", f"--output={tmp_path / 'run'}"]

    def code(*flags: str) -> int:
        for name in parsed:
            parsed[name].unparse()
        much = ["--model=tiny", "--steps=2", "--interval=2", "--batch_size=2"]
        return command.exit_code(train.main, parsed, ["train", *where, *much, *flags])

    assert code("--seed=1") == 0
    # Looking on changes nothing.
    assert code("--seed=1", "--dry_run", "--overwrite") == 0
    assert "s a step" in capsys.readouterr().out
    assert code("--seed=1", "--noresume") == 1
    assert "--noresume does not continue it" in capsys.readouterr().err
    assert code("--seed=2") == 1
    assert "--seed (then 1, now 2)" in capsys.readouterr().err
    assert code("--seed=2", "--overwrite", "--strategy=multi_worker") == 1
    assert "cannot discard a run together" in capsys.readouterr().err
    (tmp_path / "run" / "notes.txt").touch()
    assert code("--seed=2", "--overwrite") == 0
    assert (tmp_path / "run" / "notes.txt").exists()
    assert (tmp_path / "run" / "checkpoints" / "step-000000002.npz").exists()


def test_every_setting_has_its_flag():
    from dataclasses import fields

    from tfvfi.cli.train import FLAGS
    from tfvfi.training.settings import Settings

    # The first is --augment.
    unsaid = {"augmentation", "options", "optimizer_options"}
    assert {field.name for field in fields(Settings)} - set(FLAGS) == unsaid


@pytest.mark.parametrize("tried", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("recipe", sorted(ROOT.glob("recipes/*.flags")), ids=lambda path: path.stem)
def test_recipes_can_be_started(recipe, tried, parsed, tmp_path, monkeypatch, capsys):
    from tfvfi.cli import command, train
    from tfvfi.training import plan

    if not tried:
        # `test_overwriting_forgets_a_run` tries steps, of a smaller network.
        monkeypatch.setattr(plan.loops, "drive", lambda *_: None)
    where = ["--records=procedural:records/sample", f"--output={tmp_path}"]
    small = ["--batch_size=1", "--crop_size=32", "--dry_run"]
    flags = ["train", f"--flagfile={recipe}", *where, *small]
    assert command.exit_code(train.main, parsed, flags) == 0
    terms = "census + charbonnier + geometry" if tried else ""
    assert f"ifrnet: {terms}\n" in capsys.readouterr().out
