"""Names to networks, and the sentences for names and weights that are not there."""

import dataclasses

import numpy as np
import pytest

import tfvfi
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.models import index
from tfvfi.models.preset import Checkpoint
from tfvfi.registry import ModelSpec


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
    monkeypatch.setitem(index._registered, "learned", known)
    with pytest.raises(InputError) as error:
        tfvfi.load("learned")
    for part in ("learned.pth", "someone/learned", "MIT", "convert_checkpoint.py --model=learned"):
        assert part in str(error.value)


def test_weights_for_a_network_without_any_are_refused(tmp_path):
    with pytest.raises(InputError, match="no weights of its own"):
        tfvfi.load("flow_interpolation", weights=tmp_path / "a.weights.h5")


def test_a_flow_estimator_is_no_interpolator(triplet, tmp_path):
    first, _, second = triplet
    with pytest.raises(InputError, match="dis estimates flow and renders no frames"):
        tfvfi.interpolate(first, second, model="dis")
    with pytest.raises(InputError, match="dis estimates flow and renders no frames"):
        tfvfi.interpolate_video("samples/clip.mp4", tmp_path / "out.mp4", model="dis")
    assert not list(tmp_path.iterdir())


def test_interpolate_in_one_line(triplet):
    first, _, second = triplet
    (frame,) = tfvfi.interpolate(first, second)
    assert frame.shape == first.shape and frame.dtype == np.uint8


def test_a_model_spec_is_read_from_one_line():
    parsed = ModelSpec.parse("ifrnet_s,weights=dir/gopro.weights.h5,scale=0.5")
    assert parsed == ModelSpec("ifrnet_s", "dir/gopro.weights.h5", {"scale": 0.5})
    assert parsed.label == "ifrnet_s_gopro_scale-0.5"
    assert ModelSpec.parse("ifrnet_s", "ifrnet_s.weights.h5").label == "ifrnet_s"
    assert ModelSpec.parse("ifrnet_s,weights=None", "other.weights.h5").label == "ifrnet_s_fresh"
    with pytest.raises(InputError, match="no model 'ifrnt'"):
        _ = ModelSpec.parse("ifrnt").preset


def test_the_identity_of_a_model_spec_follows_the_files(tmp_path):
    file = tmp_path / "a.weights.h5"
    file.write_bytes(b"first")
    spec = ModelSpec("ifrnet_s", file)
    before = spec.identity()
    file.write_bytes(b"second")
    assert spec.identity()["weights_sha256"] != before["weights_sha256"]
    assert ModelSpec("ifrnet_s").identity()["weights_sha256"]
    flow = ModelSpec("flow_interpolation", options={"flow": "pwcnet", "flow_weights": file})
    assert flow.identity()["flow_weights_sha256"] == spec.identity()["weights_sha256"]
    assert ModelSpec("flow_interpolation").identity()["flow_weights_sha256"] is None


def test_a_model_spec_loads():
    assert ModelSpec("flow_interpolation", options={"flow": "dis"}).load().times == "any"
    with pytest.raises(InputError, match="dis estimates flow and renders no frames"):
        ModelSpec("dis").load_interpolator()


def test_every_entry_in_python_takes_a_quality(half_frames):
    pair = [half_frames[4], half_frames[6]]
    fast = registry.QUALITIES["fast"].load()
    (expected,) = fast.interpolate(*pair)
    assert (expected != tfvfi.interpolate(*pair)[0]).any()
    found = [
        tfvfi.interpolate(*pair, quality="fast")[0],
        list(tfvfi.interpolate_frames(pair, quality="fast"))[1],
        list(tfvfi.stream(pair, quality="fast"))[1],
    ]
    for frame in found:
        np.testing.assert_array_equal(frame, expected)
    with pytest.raises(InputError, match=r"quality is one of fast, balanced, best"):
        tfvfi.interpolate(*pair, quality="good")


def test_a_quality_chooses_the_model_and_a_model_itself():
    assert registry.chosen(None) == ModelSpec(registry.DEFAULT_MODEL)
    assert registry.chosen(None, "balanced") == registry.chosen(None)
    fast = registry.chosen(None, "fast", options={"mode": "splat"})
    assert fast == ModelSpec(
        "flow_interpolation", options={"flow": "dis_quick", "scale": 0.5, "mode": "splat"}
    )
    assert registry.chosen("ifrnet_s", weights=None) == ModelSpec("ifrnet_s", None)
    network = object()
    assert registry.chosen(network) is network
    with pytest.raises(InputError, match=r"quality is one of fast, balanced, best\. Received: 'f'"):
        registry.chosen(None, "f")
    with pytest.raises(InputError, match=r"leave out `quality=fast` or `model`"):
        registry.chosen("ifrnet_s", "fast")
