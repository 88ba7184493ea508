"""The averaged weights are what is measured, on the split and on benchmarks."""

import cv2
import numpy as np
import pytest

from tests.training import tiny
from tfvfi.data import Samples
from tfvfi.errors import InputError
from tfvfi.evaluation import measures
from tfvfi.training import checkpoints, optimizers
from tfvfi.training.folder import RunFolder
from tfvfi.training.job import prepare
from tfvfi.training.session import train
from tfvfi.training.settings import Settings
from tfvfi.training.validation import Validation

tiny.register()


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> str:
    return tiny.records(tmp_path_factory.mktemp("records") / "three")


def settings(records: str, folder, **asked) -> Settings:
    asked = {"steps": 8, "batch_size": 2, "interval": 4, "learning_rate": 0.02, **asked}
    return Settings("tiny", records, str(folder / "run"), **asked)


def painted(shares: np.ndarray, sample: dict[str, np.ndarray]) -> np.ndarray:
    return np.clip(shares[0] * sample["frame0"] + shares[1] * sample["frame1"] + shares[2], 0, 1)


def test_the_averaged_weights_are_measured(records, tmp_path):
    run = train(settings(records, tmp_path, ema=0.9), quiet=True)
    row = RunFolder(run).rows()[-1]
    arrays = tiny.weights(run)
    (name,) = (name for name in arrays if name.endswith("_average"))
    assert np.abs(arrays[name] - arrays["network/0/shares"]).max() > 1e-3
    samples = Samples(records, split="validation", shuffle=False)
    both = [samples.sample(number) for number in range(2)]
    for metric in ("psnr", "ssim"):
        measure = getattr(measures, metric)
        values = [measure(painted(arrays[name], each), each["target"]) for each in both]
        assert row[f"validation/{metric}"] == pytest.approx(np.mean(values), rel=1e-4)


def test_benchmarks_are_measured_whole(records, tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (5, 22, 30, 3), np.uint8)
    (tmp_path / "frames").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / "frames" / f"{number}.png"), frame[..., ::-1])
    asked = settings(records, tmp_path, validation=(f"frames:{tmp_path / 'frames'}",), ema=0.0)
    run = train(asked, quiet=True)
    shares = tiny.weights(run)["network/0/shares"]
    values = []
    for number in (1, 3):
        first, truth, second = frames[number - 1 : number + 2].astype("float32") / 255
        frame = painted(shares, {"frame0": first, "frame1": second})
        values.append(measures.psnr(np.rint(255 * frame), 255 * truth, data_range=255))
    assert RunFolder(run).rows()[-1]["frames/psnr"] == pytest.approx(np.mean(values), rel=1e-3)


def test_a_cycle_is_validated_by_true_frames(records, tmp_path):
    validation = Validation(prepare(settings(records, tmp_path, objective="cycle")))
    validation.refresh()
    samples = Samples(records, split="validation", shuffle=False)
    shares = np.array(tiny.FIRST)
    both = [samples.sample(number) for number in range(2)]
    expected = np.mean([measures.psnr(painted(shares, each), each["target"]) for each in both])
    scores = validation.scores()
    assert scores["validation/psnr"] == pytest.approx(expected, rel=1e-4)
    assert scores["validation/loss"] > 0


def test_the_best_is_kept(records, tmp_path):
    # So fast that it overshoots: the best is not the last.
    asked = settings(records, tmp_path, steps=24, interval=4, learning_rate=0.2, ema=0.0)
    folder = RunFolder(train(asked, quiet=True))
    rows = {row["step"]: row["validation/psnr"] for row in folder.rows()}
    best = max(rows, key=rows.get)
    names = sorted(path.name for path in folder.checkpoints.iterdir())
    assert best < 20 and names == [f"step-{step:09d}.npz" for step in (best, 20, 24)]
    state = checkpoints.read_state(folder.checkpoints / names[-1])
    assert (state.best_step, state.best_score) == (best, pytest.approx(rows[best]))


def test_records_without_validation_are_trained_on(tmp_path):
    import json

    path = tiny.records(tmp_path / "records")
    manifest = json.loads((tmp_path / "records" / "manifest.json").read_text())
    del manifest["splits"]["validation"]
    (tmp_path / "records" / "manifest.json").write_text(json.dumps(manifest))
    job = prepare(settings(path, tmp_path))
    assert "has no split 'validation'" in Validation(job).missing
    rows = RunFolder(train(settings(path, tmp_path), quiet=True)).rows()
    assert len(rows) == 2 and not any(name.startswith("validation") for name in rows[0])


def test_a_benchmark_that_is_not_there_is_refused_before_training(records, tmp_path):
    for asked, said in (("middlebury:/nowhere", "there is no such folder"), ("x", "NAME:FOLDER")):
        with pytest.raises(InputError, match=said):
            train(settings(records, tmp_path, validation=(asked,)))
    assert not (tmp_path / "run").exists()


def test_no_average_is_the_weights_themselves(records, tmp_path):
    job = prepare(settings(records, tmp_path, ema=0.0))
    assert optimizers.averages(job.trainer.optimizer) is None
    job.network.shares.assign([1.0, 2.0, 3.0])
    validation = Validation(job)
    validation.refresh()
    np.testing.assert_array_equal(validation.network.shares, [1, 2, 3])
