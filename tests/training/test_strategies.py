"""However many replicas and workers share a batch, the weights come out the same."""

import numpy as np
import pytest

from tests.data import small_records
from tests.training import processes, tiny
from tfvfi.data import Samples
from tfvfi.errors import InputError
from tfvfi.training.session import train
from tfvfi.training.settings import AUGMENTATION, Settings

tiny.register()
RATE = 0.05
RUN = {
    "model": "tiny",
    "batch_size": 4,
    "steps": 10,
    "interval": 5,
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "clip": 0.1,
    "ema": 0.9,
}


def arrays(run) -> dict[str, np.ndarray]:
    """Weights, averages and what the optimizer remembers."""
    return {name: array for name, array in tiny.weights(run).items() if name != "state"}


@pytest.mark.slow
def test_replicas_and_workers_equal_one_replica(tmp_path):
    run = {**RUN, "records": tiny.records(tmp_path / "records")}
    # By plain descent one step is enough to tell a mean from a sum.
    plain = {**run, "optimizer": "sgd", "learning_rate": RATE, "steps": 1, "clip": 0.0, "ema": 0.0}
    started = [
        processes.start(
            [
                {**run, "strategy": "mirrored", "output": str(tmp_path / "two")},
                {**plain, "strategy": "mirrored", "output": str(tmp_path / "step")},
            ],
            replicas=2,
        ),
        *processes.start_workers([{**run, "output": str(tmp_path / "workers")}] * 2),
    ]
    one = arrays(train(Settings(**run, output=str(tmp_path / "one")), quiet=True))
    for process in started:
        processes.finish(process)
    for other in ("two", "workers"):
        found = arrays(tmp_path / other)
        assert sorted(found) == sorted(one)
        for name, array in one.items():
            np.testing.assert_allclose(array, found[name], rtol=1e-5, atol=1e-7, err_msg=name)
    shares = arrays(tmp_path / "step")["network/0/shares"]
    np.testing.assert_allclose(shares, step_by_hand(Settings(**plain, output="")), atol=1e-6)


def step_by_hand(settings: Settings) -> np.ndarray:
    """The weights after one step of descent on the mean absolute difference of a whole batch."""
    samples = Samples(settings.records, seed=settings.seed, augmentation=AUGMENTATION)
    batch = [samples.sample(position) for position in range(settings.batch_size)]
    frame0, frame1, target = (
        np.stack([sample[name] for sample in batch]).astype(float)
        for name in ("frame0", "frame1", "target")
    )
    first, second, brightness = tiny.FIRST
    sign = np.sign(first * frame0 + second * frame1 + brightness - target)
    gradient = [np.mean(sign * frame0), np.mean(sign * frame1), np.mean(sign)]
    return np.array(tiny.FIRST) - settings.learning_rate * np.array(gradient)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_worker_ends_the_others_and_the_run_goes_on(tmp_path, victim):
    run = {
        **RUN,
        "records": tiny.records(tmp_path / "records"),
        "output": str(tmp_path / "run"),
        "steps": 5000,
    }
    workers = processes.start_workers([run] * 2)
    assert workers[0].stdout.readline().startswith("step 5/")
    workers[victim].kill()
    workers[victim].communicate()
    _, complaint = workers[1 - victim].communicate(timeout=120)
    assert workers[1 - victim].returncode == 1
    assert complaint.strip().splitlines()[-1].startswith("tfvfi: another worker is gone")


@pytest.mark.slow
def test_killed_workers_go_on_as_if_nothing_had_happened(tmp_path):
    run = {**RUN, "records": tiny.records(tmp_path / "records"), "steps": 200}
    workers = processes.start_workers([{**run, "output": str(tmp_path / "killed")}] * 2)
    assert workers[0].stdout.readline().startswith("step 5/")
    for worker in workers:
        worker.kill()
        worker.communicate()
    for folder in ("killed", "whole"):
        for worker in processes.start_workers([{**run, "output": str(tmp_path / folder)}] * 2):
            processes.finish(worker)
    whole = tiny.weights(tmp_path / "whole")
    for name, array in tiny.weights(tmp_path / "killed").items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)


@pytest.mark.slow
def test_workers_that_see_different_folders_are_refused(tmp_path):
    run = {**RUN, "records": tiny.records(tmp_path / "records")}
    train(Settings(**{**run, "steps": 5}, output=str(tmp_path / "run")), quiet=True)
    outputs = [str(tmp_path / name) for name in ("run", "empty")]
    for worker in processes.start_workers([{**run, "output": output} for output in outputs]):
        _, complaint = worker.communicate(timeout=120)
        assert worker.returncode == 1
        assert "would continue from different steps (0, 5)" in complaint


def test_a_cluster_must_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {}}')
    records = str(small_records.write(tmp_path / "records"))
    with pytest.raises(InputError, match="needs TF_CONFIG"):
        train(Settings("tiny", records, str(tmp_path / "run"), strategy="multi_worker"))
