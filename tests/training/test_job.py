"""What does not fit is refused in one sentence before any training starts."""

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

import tfvfi
from tests.data import small_records
from tests.training import tiny
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.training.job import answered_times, prepare
from tfvfi.training.session import train
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
        ("superslomo", "three", {}, "needs patches of 32 pixels at least, and those of .* have 24"),
        ("ifrnet_s", "three", {"crop_size": 24}, "needs crops that divide by 16"),
        ("pwcnet", "large", {}, "^pwcnet learns from true flow, and these records hold none"),
        ("dis", "three", {}, "dis has no weights to train"),
        ("flow_interpolation", "three", {}, "choose a `flow` to train inside it"),
        ("flow_interpolation", "three", {"flow": "dis"}, "dis has no weights to train"),
        ("tiny", "three", {"accumulate": 3}, "cannot be shared evenly by 3 parts"),
        ("tiny", "three", {"objective": "cycle_pseudo"}, "needs a `teacher`"),
        ("tiny", "three", {"weights": "no.weights.h5"}, "there is no weight file"),
        ("tiny", "three", {"flow": "flownet2_s"}, "tiny takes no `flow`"),
        ("nothing", "three", {}, "there is no model 'nothing'"),
        ("tiny", "three", {"options": {"scale": 2}}, "tiny takes no option 'scale'"),
        ("tiny", "nine", {"num_interp": 0}, "`num_interp` must be at least 1"),
        ("tiny", "nine", {"num_interp": 9}, "records of 9 frames are too short for 'triplet'"),
        ("tiny", "nine", {"sample_rate": 0}, "a triplet needs a true frame"),
        ("sepconv", "nine", {"num_interp": 3}, "renders the middle only, .*Received: 3"),
    ],
)
def test_what_does_not_fit_is_refused(model, records, asked, said, folders):
    settings = Settings(model, folders.get(records, records), "run", **{**SMALL, **asked})
    with pytest.raises(InputError, match=said) as caught:
        prepare(settings)
    assert "\n" not in str(caught.value)


def test_a_network_of_the_middle_sees_middles(folders):
    middle = replace(registry.preset("tiny"), name="tiny_middle", times=(0.5,))
    registry.register(middle)
    job = prepare(Settings("tiny_middle", folders["nine"], "run", **SMALL))
    assert {float(job.samples.sample(number)["time"]) for number in range(8)} == {0.5}
    job = prepare(Settings("tiny", folders["nine"], "run", **SMALL))
    assert len({float(job.samples.sample(number)["time"]) for number in range(12)}) > 3


@pytest.mark.parametrize(
    ("objective", "asked", "times"),
    [
        ("l1", {"num_interp": 3}, {0.25, 0.5, 0.75}),
        ("l1", {"num_interp": 1, "sample_rate": 4, "step_size": 1}, {0.5}),
        ("cycle", {"num_interp": 2}, {1 / 3, 2 / 3}),
    ],
)
def test_which_frames_make_a_sample_may_be_said(objective, asked, times, folders):
    job = prepare(Settings("tiny", folders["nine"], "run", objective=objective, **asked, **SMALL))
    found = [float(job.samples.sample(number)["time"]) for number in range(16)]
    assert set(np.round(found, 6)) == set(np.round(list(times), 6))


def test_frames_in_a_folder_are_cut_as_the_sampling_wants(tmp_path):
    for number in range(12):
        picture = np.full((16, 16, 3), 20 * number, "uint8")
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), picture)
    where = f"frames:{tmp_path}"
    for asked, count in (
        ({}, 10),
        ({"num_interp": 7}, 1),
        ({"num_interp": 3, "step_size": 2}, 4),
        ({"num_interp": 2, "sample_rate": 1, "step_size": 1, "objective": "cycle"}, 6),
    ):
        job = prepare(Settings("tiny", where, "run", **asked, **SMALL))
        assert len(job.samples) == count, asked
        sample = job.samples.sample(0)
        first, second = (np.median(sample[name]) for name in ("frame0", "frame1"))
        apart = asked.get("num_interp", 1) + 1
        np.testing.assert_allclose(abs(second - first) * 255, 20 * apart, atol=1e-3)


def test_options_go_with_the_weights(folders, tmp_path):
    """What a network was trained with is what it is loaded with, unless told otherwise."""
    asked = {**SMALL, "steps": 1, "ema": 0.0, "pictures": 0, "options": {"noise": 0.25}}
    path = tmp_path / "made.weights.h5"
    output = str(tmp_path / "run")
    train(Settings("tiny", folders["three"], output, export=str(path), **asked), quiet=True)
    assert tfvfi.load("tiny", weights=path).noise == 0.25
    assert tfvfi.load("tiny", weights=path, noise=0.5).noise == 0.5

    # Training that starts from them goes on with them, and so does the same command again.
    asked |= {"options": {}, "weights": str(path), "output": str(tmp_path / "on")}
    for steps in (1, 2):
        settings = Settings("tiny", folders["three"], export=str(path), **{**asked, "steps": steps})
        train(settings, quiet=True)
        assert tfvfi.load("tiny", weights=path).noise == 0.25


def test_weights_answer_the_times_that_they_saw(folders, tmp_path):
    asked = {**SMALL, "crop_size": 16}
    job = prepare(Settings("ifrnet_s", folders["three"], "run", **asked))
    assert answered_times(job) == (0.5,)
    # Flow that is scaled by the time answers any.
    assert answered_times(prepare(Settings("tiny", folders["three"], "run", **SMALL))) == "any"


@pytest.fixture(scope="module")
def with_flow(folders):
    """A training of a flow network inside the interpolation."""
    asked = {**SMALL, "flow": "flownet2_s"}
    return prepare(Settings("flow_interpolation", folders["large"], "run", **asked))


def test_a_flow_network_is_trained_inside_the_interpolation(with_flow):
    assert with_flow.network.estimator.name == "flownet2_s"
    assert with_flow.settings.objective == "l1"


# Its weights change in tests/training/test_flow_networks.py, too.
@pytest.mark.slow
def test_a_flow_network_learns_inside_the_interpolation(with_flow):
    job = with_flow
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
