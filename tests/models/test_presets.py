"""Preset folders, `from_preset` on the classes, and what either refuses."""

import json

import keras
import numpy as np
import pytest

import tfvfi
from tests.models import mix
from tfvfi.errors import InputError
from tfvfi.models.base import FlowEstimator, Network
from tfvfi.models.ifrnet.network import IFRNet

mix.register()


@pytest.fixture
def folder(tmp_path):
    """A saved network whose weights are not those of a fresh one."""
    model = tfvfi.load("mix", weights=None)
    model.set_weights([np.float32([0.1, 0.2, 0.7])])
    model.times = (0.5,)
    model.save_to_preset(tmp_path / "mine")
    return tmp_path / "mine"


def test_a_class_loads_its_own_presets_only():
    assert type(IFRNet.from_preset("ifrnet_s", weights=None)) is IFRNet
    assert type(Network.from_preset("mix", weights=None)) is mix.Mix
    with pytest.raises(
        InputError,
        match=r"^IFRNet\.from_preset takes a preset of IFRNet: ifrnet, .*'sepconv'.*SepConv",
    ):
        IFRNet.from_preset("sepconv")
    with pytest.raises(InputError, match=r"FlowEstimator\.from_preset takes a preset"):
        FlowEstimator.from_preset("mix")


def test_a_folder_keeps_weights_times_and_metadata(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "metadata.json",
        "model.weights.h5",
    ]
    about = json.loads((folder / "metadata.json").read_text())
    assert about["parameter_count"] == 3 and about["keras_version"] == keras.version()
    for again in (tfvfi.load(folder), mix.Mix.from_preset(str(folder))):
        np.testing.assert_allclose(again.get_weights()[0], [0.1, 0.2, 0.7])
        assert again.times == (0.5,)
    fresh = tfvfi.load(folder, weights=None, start=0.9, times="any")
    np.testing.assert_allclose(fresh.get_weights()[0], 0.9)
    assert tfvfi.load(folder, times="any").times == fresh.times == "any"
    with pytest.raises(InputError, match="mine takes no option 'end'; it takes: dtype, start"):
        tfvfi.load(folder, end=1)


def test_a_method_without_weights_is_saved_too(tmp_path):
    model = tfvfi.load("flow_interpolation", mode="splat")
    model.save_to_preset(tmp_path / "flow")
    again = tfvfi.load(tmp_path / "flow")
    assert again.mode == "splat" and type(again.estimator) is type(model.estimator)
    assert not (tmp_path / "flow" / "model.weights.h5").exists()


def test_folders_are_replaced_only_when_asked(folder):
    model = tfvfi.load("mix", weights=None)
    with pytest.raises(InputError, match="mine exists already; name another folder, or pass"):
        model.save_to_preset(folder)
    model.save_to_preset(folder, overwrite=True)
    np.testing.assert_allclose(tfvfi.load(folder).get_weights()[0], 0.3)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        model.save_to_preset(folder, overwrite=True)
    assert (folder / "notes.txt").exists() and len(list(folder.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "is damaged: it describes no network"),
        ("[]", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"module": "a", "class_name": "B", "config": 3}', "is damaged"),
        (
            '{"module": "keras.layers", "class_name": "Lambda", "config": {}}',
            "a network of keras.layers:Lambda, which belongs to no known preset",
        ),
        (
            '{"module": "tests.models.mix", "class_name": "Mix", "config": {"end": 1}}',
            "holds no arguments of Mix",
        ),
    ],
)
def test_what_is_no_saved_network_is_refused(folder, config, said):
    (folder / "config.json").write_text(config)
    with pytest.raises(InputError, match=said):
        tfvfi.load(folder)


def test_a_folder_that_is_no_preset_is_an_unknown_name(tmp_path):
    with pytest.raises(InputError, match="there is no model"):
        tfvfi.load(tmp_path)


def test_keras_clones_a_network():
    model = tfvfi.load("mix", weights=None, start=0.7)
    clone = keras.models.clone_model(model)
    assert clone.get_config() == model.get_config() and clone is not model
    np.testing.assert_allclose(clone.get_weights()[0], 0.7)


def test_keras_draws_a_network_with_its_shapes():
    model = tfvfi.load("sepconv", weights=None)
    drawn = keras.utils.model_to_dot(model, show_shapes=True).to_string()
    assert "<b>sepconv</b> (SepConv)" in drawn
    # What goes in and what comes out.
    assert drawn.count("(None, 32, 32, 3)") == 2 and "(None, None, 32, 3)" in drawn
