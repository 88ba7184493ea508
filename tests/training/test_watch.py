"""What accompanies the steps: the guard above all."""

import io
import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.training import tiny
from tfvfi.data import Samples
from tfvfi.errors import InputError
from tfvfi.training import checkpoints, watch
from tfvfi.training.job import prepare
from tfvfi.training.session import train
from tfvfi.training.settings import AUGMENTATION, Settings
from tfvfi.training.watch import Intervals, Progress

tiny.register()


def settings(tmp_path, **asked) -> Settings:
    records = tmp_path / "records"
    if not records.exists():
        tiny.records(records)
    asked = {"steps": 12, "batch_size": 4, "interval": 3, "optimizer": "sgd", **asked}
    return Settings("tiny", str(records), str(tmp_path / "run"), **asked)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_its_batch(tmp_path):
    train(settings(tmp_path, steps=3, learning_rate=0.01), quiet=True)
    # The first step of such a rate breaks the weights, the second shows it.
    with pytest.raises(InputError, match="no longer finite at step 5") as caught:
        train(settings(tmp_path, learning_rate=3e38), quiet=True)
    said = str(caught.value)
    samples = Samples(str(tmp_path / "records"), augmentation=AUGMENTATION)
    assert str(samples.describe(16)) in said and "clip" in str(samples.describe(16))
    with np.load(tmp_path / "run" / "batch-5.npz") as kept:
        assert kept["frame0"].shape == (4, 16, 16, 3)
        np.testing.assert_array_equal(kept["target"][0], samples.sample(16)["target"])
    assert checkpoints.newest(tmp_path / "run" / "checkpoints").name == "step-000000003.npz"
    # As it says: with a lower rate it goes on.
    train(settings(tmp_path, learning_rate=0.01), quiet=True)
    assert checkpoints.newest(tmp_path / "run" / "checkpoints").name == "step-000000012.npz"


def test_broken_weights_are_not_kept(tmp_path):
    with pytest.raises(InputError, match="no longer finite after step 1"):
        train(settings(tmp_path, learning_rate=float(np.inf), interval=1), quiet=True)
    assert checkpoints.newest(tmp_path / "run" / "checkpoints") is None


def test_intervals_have_means():
    found = []
    watch = Intervals(10, lambda *told: found.append(told[:2]))
    for losses in ((1.0, 3.0), (5.0,)):
        watch.on_epoch_begin(0)
        for loss in losses:
            watch.on_train_batch_end(0, {"loss": loss})
        watch.on_epoch_end(0)
    assert found == [(12, {"loss": 2.0}), (13, {"loss": 5.0})]


def test_the_bar_shows_terms_and_speed(tmp_path, monkeypatch):
    job = prepare(settings(tmp_path, steps=30))
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    bar = Progress(job, 10)
    for _ in range(20):
        time.sleep(0.01)
        bar.on_train_batch_end(0, {"loss": 0.25, "l1": 0.25, "psnr": 31.5})
    bar._bar.refresh()
    bar.on_train_end()
    shown = terminal.getvalue().split("\r")[-1]
    assert "30/30" in shown and "loss=0.25" in shown and "psnr=31.5" in shown
    assert "patches/s=" in shown


def test_a_log_gets_a_line_now_and_then(tmp_path, monkeypatch, capsys):
    job = prepare(settings(tmp_path, steps=8000))
    clock = itertools.count(start=0, step=20)
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    progress = Progress(job, 100)
    for _ in range(7):
        progress.on_train_batch_end(0, {"loss": 0.25, "psnr": 31.5})
    said = capsys.readouterr().out.splitlines()
    # A step takes 20 seconds here, a batch has four patches; the first is not counted.
    assert said[0] == "step 104/8000: loss 0.25, psnr 31.5, patches/s 0.2, 43 h 52 min left"
    assert [line.split(":")[0] for line in said] == ["step 104/8000", "step 107/8000"]
    quiet = Progress(job, 100, quiet=True)
    for _ in range(7):
        quiet.on_train_batch_end(0, {"loss": 0.25})
    assert not capsys.readouterr().out
