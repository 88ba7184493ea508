"""Names to networks, and the sentences for names and weights that are not there."""

import dataclasses

import numpy as np
import pytest

import tfvfi
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.models.preset import Checkpoint


def test_list_models_tells_what_people_ask():
    about = tfvfi.list_models()["flow_interpolation"]
    assert about["kind"] == "interpolator"
    assert about["times"] == "any"
    assert {"variants", "licence", "description", "bundled_weights"} <= about.keys()


def test_unknown_name_lists_the_names():
    with pytest.raises(InputError, match=r"no model 'ifrnt'.*flow_interpolation"):
        tfvfi.load("ifrnt")


def test_unknown_option_is_named():
    with pytest.raises(InputError, match=r"takes no option 'flows'; it takes: dtype, flow, "):
        tfvfi.load("flow_interpolation", flows="dis")


def test_a_network_without_bundled_weights_says_how_to_get_them(monkeypatch):
    known = dataclasses.replace(
        registry.preset("flow_interpolation"),
        name="learned",
        has_weights=True,
        checkpoints=(Checkpoint("learned.pth", "someone/learned", "MIT"),),
    )
    monkeypatch.setattr(registry, "presets", lambda: {"learned": known})
    with pytest.raises(InputError) as error:
        tfvfi.load("learned")
    for part in ("learned.pth", "someone/learned", "MIT", "convert_checkpoint.py --model=learned"):
        assert part in str(error.value)


def test_weights_for_a_network_without_any_are_refused(tmp_path):
    with pytest.raises(InputError, match="no weights of its own"):
        tfvfi.load("flow_interpolation", weights=tmp_path / "a.weights.h5")


def test_a_flow_estimator_is_no_interpolator(triplet, tmp_path):
    first, _, second = triplet
    with pytest.raises(InputError, match="dis estimates flow and gives no frames"):
        tfvfi.interpolate(first, second, model="dis")
    with pytest.raises(InputError, match="dis estimates flow and gives no frames"):
        tfvfi.interpolate_video("samples/clip.mp4", tmp_path / "out.mp4", model="dis")
    assert not list(tmp_path.iterdir())


def test_interpolate_in_one_line(triplet):
    first, _, second = triplet
    (frame,) = tfvfi.interpolate(first, second)
    assert frame.shape == first.shape and frame.dtype == np.uint8
