"""What does not fit is refused in one sentence before any training starts."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import tfvfi
from tests.data import small_records
from tests.training import tiny
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.training.job import answered_times, prepare
from tfvfi.training.settings import Settings

tiny.register()
SMALL = {"steps": 2, "batch_size": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, str]:
    """Records of two, three and nine frames, and larger patches."""
    base = tmp_path_factory.mktemp("records")
    frames = {"two": 2, "three": 3, "nine": 9}
    made = {name: small_records.write(base / name, 4, count) for name, count in frames.items()}
    made["large"] = small_records.write(base / "large", 4, size=64)
    return {name: str(path) for name, path in made.items()}


@pytest.mark.parametrize(
    ("model", "records", "asked", "said"),
    [
        ("tiny", "two", {}, "records of 2 frames are too short for 'triplet'"),
        ("tiny", "two", {"objective": "cycle"}, "too short for 'cycle'"),
        ("tiny", "three", {"crop_size": 32}, "32x32 does not fit into the records' patches of 24"),
        ("tiny", "nowhere", {}, "nowhere"),
        ("ifrnet_s", "three", {"crop_size": 24}, "needs crops that divide by 16"),
        ("pwcnet", "large", {}, "^pwcnet learns from true flow, and these records hold none"),
        ("dis", "three", {}, "dis has no weights to train"),
        ("flow_interpolation", "three", {}, "name a --flow to train inside it"),
        ("flow_interpolation", "three", {"flow": "dis"}, "dis has no weights to train"),
        ("tiny", "three", {"accumulate": 3}, "cannot be shared evenly by 3 parts"),
        ("tiny", "three", {"objective": "cycle_pseudo"}, "needs a teacher"),
        ("tiny", "three", {"weights": "no.weights.h5"}, "there is no weight file"),
        ("tiny", "three", {"flow": "flownet2_s"}, "tiny takes no --flow"),
        ("nothing", "three", {}, "there is no model 'nothing'"),
    ],
)
def test_what_does_not_fit_is_refused(model, records, asked, said, folders):
    settings = Settings(model, folders.get(records, records), "run", **{**SMALL, **asked})
    with pytest.raises(InputError, match=said) as caught:
        prepare(settings)
    assert "\n" not in str(caught.value)


def test_a_network_of_the_middle_sees_middles(folders):
    middle = replace(registry.preset("tiny"), name="tiny_middle", times=(0.5,))
    registry.presets()[middle.name] = middle
    job = prepare(Settings("tiny_middle", folders["nine"], "run", **SMALL))
    assert {float(job.samples.sample(number)["time"]) for number in range(8)} == {0.5}
    job = prepare(Settings("tiny", folders["nine"], "run", **SMALL))
    assert len({float(job.samples.sample(number)["time"]) for number in range(12)}) > 3


def test_weights_answer_the_times_that_they_saw(folders, tmp_path):
    asked = {**SMALL, "crop_size": 16}
    job = prepare(Settings("ifrnet_s", folders["three"], "run", **asked))
    assert answered_times(job) == (0.5,)
    # Flow that is scaled by the time answers any.
    assert answered_times(prepare(Settings("tiny", folders["three"], "run", **SMALL))) == "any"


def test_a_flow_network_learns_inside_the_interpolation(folders):
    job = prepare(
        Settings("flow_interpolation", folders["large"], "run", flow="flownet2_s", **SMALL)
    )
    assert job.network.estimator.name == "flownet2_s" and job.settings.objective == "l1"
    before = [keras.ops.convert_to_numpy(weight) for weight in job.network.trainable_variables]
    job.trainer.update(next(iter(job.batches(0))))
    moved = [
        np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 0
        for weight, old in zip(job.network.trainable_variables, before, strict=True)
    ]
    assert np.mean(moved) > 0.9


def test_the_weights_to_start_from_are_the_teacher(folders, tmp_path):
    model = tfvfi.load("tiny", weights=None)
    model.shares.assign([0.25, 0.75, 0.0])
    path = tmp_path / "start.weights.h5"
    tfvfi.weights.save(model, path)
    asked = {**SMALL, "objective": "cycle_pseudo", "weights": str(path)}
    job = prepare(Settings("tiny", folders["nine"], "run", **asked))
    found = job.trainer(next(iter(job.batches(0))), training=True)
    # It has not moved away from itself yet.
    assert float(found["teacher"]) == 0 and float(found["pixel"]) > 0
