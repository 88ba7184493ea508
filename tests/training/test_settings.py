"""What a training is told, and what its preset recommends."""

import dataclasses
import json

import pytest

from tfvfi import registry
from tfvfi.errors import ArgumentError
from tfvfi.training.settings import Settings, changed, check, complete


def completed(model: str, **asked):
    preset = registry.preset(model)
    return complete(Settings(model, "records", "run", **asked), preset, examples=800, patch=144)


def test_recommended_settings_come_from_the_preset():
    found = completed("sepconv")
    assert (found.optimizer, found.learning_rate, found.schedule) == ("adamax", 1e-3, "constant")
    assert found.batch_size == 16 and found.crop_size == 128
    assert ("reverse_time", 0.5) in found.augmentation
    # 500 epochs of 800 examples, 32 at once; the rate falls after 250 and 450.
    found = completed("superslomo")
    assert found.steps == 500 * 800 // 32 and found.milestones == (0.5, 0.9)
    assert found.factor == 0.1 and found.optimizer_options == {"beta_1": 0.9, "beta_2": 0.999}
    # Patches are smaller than the published crop.
    assert found.crop_size == 144


def test_flags_go_before_what_is_recommended():
    asked = {
        "steps": 7,
        "batch_size": 2,
        "crop_size": 96,
        "learning_rate": 3e-4,
        "schedule": "constant",
        "ema": 0.5,
        "warm_up": 3,
        "interval": 2,
        "augmentation": (),
    }
    found = completed("ifrnet", **asked)
    assert {name: getattr(found, name) for name in asked} == asked
    # What is recommended for AdamW says nothing of another optimizer.
    assert completed("ifrnet", optimizer="sgd").optimizer_options == {}
    assert completed("ifrnet", learning_rate=3e-4).final_rate == pytest.approx(3e-5)


def test_nothing_is_left_open():
    needs_none = {"weights", "flow", "teacher", "perceptual_weights", "export", "objective"}
    needs_none |= {"num_interp", "sample_rate", "step_size"}
    for preset in registry.presets().values():
        done = complete(Settings(preset.name, "records", "run"), preset, examples=10, patch=64)
        open_ones = {name for name, value in dataclasses.asdict(done).items() if value is None}
        assert open_ones <= needs_none, preset.name


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"batch_size": -1}, "`batch_size` must be at least 1"),
        ({"clip": -0.1}, "`clip` must be at least 0"),
        ({"ema": 1.0}, "`ema` must be below 1"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be above 0"),
        ({"milestones": (0.5, 200.0)}, "`milestones` are shares of the steps"),
        ({"steps": 100, "warm_up": 100}, "`warm_up` must be shorter than the training of 100"),
        ({"output": "gs://bucket/run"}, "`output` must be a folder of a file system"),
        ({"optimizer": "adagrad"}, "`optimizer` must be one of adam, adamw, adamax, sgd"),
        ({"precision": "float16"}, "`precision` must be one of float32"),
    ],
)
def test_contradictions_are_refused(asked, said):
    with pytest.raises(ArgumentError, match=said):
        check(Settings(**{"model": "ifrnet_s", "records": "records", "output": "run", **asked}))


def test_what_changed_is_named():
    kept = json.loads(json.dumps(vars(completed("ifrnet_s"))))
    assert changed(kept, completed("ifrnet_s")) == []
    assert changed(kept, completed("ifrnet_s", learning_rate=1e-6, steps=9, ema=kept["ema"])) == []
    assert changed(kept, completed("ifrnet_s", seed=1)) == ["`seed` (then 0, now 1)"]
