import hashlib
import json
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tests import commands
from tests.export.conftest import WARM_UP
from tfvfi import registry
from tfvfi.cli import command, export_model
from tfvfi.errors import InputError
from tfvfi.export import card, check, saved_model
from tfvfi.export.saved_model import Options
from tfvfi.export.signatures import core

UNCHECKED = {"differences": {}, "operations": [], "seconds": {}}


def test_the_card_tells_what_was_exported(exported, weight_file):
    card = json.loads((exported / "1" / "card.json").read_text())
    assert card["model"] == "ifrnet_s" and card["times"] == "any"
    assert card["weights"]["sha256"] == hashlib.sha256(weight_file.read_bytes()).hexdigest()
    assert card["weights"]["licence"] == "of the test"
    assert set(card["signatures"]) == {
        "serving_default",
        "interpolate_uint8",
        "interpolate_encoded",
    }
    assert card["signatures"]["serving_default"]["inputs"] == {
        "frame0": "float32 [?, ?, ?, 3]",
        "frame1": "float32 [?, ?, ?, 3]",
        "time": "float32 [?]",
    }
    assert set(card["seconds"]) == {"1x64x96", "2x51x83", "1x256x448"}
    assert max(card["differences"].values()) < 1e-4
    people = (exported / "1" / "card.md").read_text()
    assert card["weights"]["sha256"] in people and "of the test" in people


def test_the_card_tells_the_weights_of_the_flow_inside(tmp_path):
    path = tmp_path / "some.weights.h5"
    tfvfi.weights.save(registry.build("pwcnet"), path, licence="for the test only")
    network = {"flow": "pwcnet", "flow_weights": path}
    model = registry.load("flow_interpolation", **network)
    about = card.describe(model, "default", Options(), network)
    assert about["weights"]["file"] == "needs none"
    assert about["flow"]["model"] == "pwcnet"
    assert about["flow"]["weights"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    card.write(tmp_path, {**about, "signatures": {}, **UNCHECKED})
    people = (tmp_path / "card.md").read_text()
    assert "for the test only" in people and about["flow"]["weights"]["sha256"] in people


def test_operations_are_stock_ones(exported):
    operations = json.loads((exported / "1" / "card.json").read_text())["operations"]
    assert "Conv2D" in operations
    assert not [name for name in operations if "vfi" in name.lower()]


def test_every_signature_gives_the_frame_of_the_model(exported, weight_file, triplet):
    frame0, _, frame1 = (frame[:101, :67] for frame in triplet)
    wanted = tfvfi.load("ifrnet_s", weights=weight_file).interpolate(frame0, frame1, times=(0.25,))
    doors = tf.saved_model.load(str(exported / "1")).signatures
    pair = {"frame0": frame0[None], "frame1": frame1[None]}
    time = tf.constant([0.25])
    unit = {key: tf.constant(frame / np.float32(255)) for key, frame in pair.items()}
    files = {f"{key}_bytes": [tf.io.encode_png(frame[0]).numpy()] for key, frame in pair.items()}

    decimal = doors["serving_default"](**unit, time=time)["frame"].numpy()[0]
    uint8 = doors["interpolate_uint8"](**{k: tf.constant(v) for k, v in pair.items()}, time=time)
    png = doors["interpolate_encoded"](
        **{key: tf.constant(value) for key, value in files.items()}, time=time
    )
    assert np.abs(decimal * 255 - wanted[0]).max() < 0.51
    assert np.abs(uint8["frame"].numpy()[0].astype(int) - wanted[0]).max() <= 1
    decoded = tf.io.decode_png(png["frame_bytes"][0]).numpy()
    np.testing.assert_array_equal(decoded, uint8["frame"].numpy()[0])


def test_two_exports_are_the_same_bytes_and_the_second_is_version_two(
    exported, weight_file, monkeypatch
):
    """One is made by the command and one here, where functions were made before."""
    monkeypatch.setattr(check, "as_a_stranger", lambda *_: UNCHECKED)
    options = Options(encoded_as="png", warm_up=WARM_UP)
    about = saved_model.export_model("ifrnet_s", exported, weight_file, options)
    assert about["folder"] == str(exported / "2")
    assert sorted(path.name for path in exported.iterdir()) == ["1", "2"]
    files = {
        path.relative_to(exported / "1")
        for path in (exported / "1").rglob("*")
        # The card tells the speed that was measured.
        if path.is_file() and not path.name.startswith("card")
    }
    assert len(files) >= 5
    for file in files:
        first, second = ((exported / version / file).read_bytes() for version in "12")
        assert first == second, file


def test_an_operation_that_stock_tensorflow_lacks_is_found(exported, tmp_path, weight_file):
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", exported / "1", broken], check=True)
    graph = broken / "saved_model.pb"
    content = graph.read_bytes()
    assert b"\x07Sigmoid" in content
    graph.write_bytes(content.replace(b"\x07Sigmoid", b"\x07Sigvfid"))
    model = tfvfi.load("ifrnet_s", weights=weight_file)
    with pytest.raises(InputError, match="Sigvfid"):
        check.as_a_stranger(broken, model)


@pytest.mark.slow
def test_an_export_of_other_weights_is_found(exported, monkeypatch):
    monkeypatch.setattr(check, "SIZES", ((1, 33, 47),))
    with pytest.raises(InputError, match="differs from Keras"):
        check.as_a_stranger(exported / "1", tfvfi.load("ifrnet_s", weights=None))


def test_no_form_of_weights_for_the_middle_ignores_another_time():
    graph = core(registry.build("ifrnet_s", times=(0.5,)))
    frame = tf.zeros([3, 32, 48, 3])
    frames = graph(frame, frame, tf.constant([0.5, 0.25, np.nan])).numpy()
    assert [np.isnan(frame).all() for frame in frames] == [False, True, True]
    assert not np.isnan(frames[0]).any()


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_model, "_load", lambda *_: registry.build("ifrnet_s"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file/out cannot be written: Not a directory"):
        saved_model.export_model("ifrnet_s", tmp_path / "file" / "out", None)


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    def fail(_, __, folder):
        (folder / "half").write_text("of it")
        raise InputError("no good")

    monkeypatch.setattr(saved_model, "_write", fail)
    with pytest.raises(InputError, match="no good"):
        saved_model.export_model("ifrnet_s", tmp_path / "out", None)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("model", "weights", "options", "said"),
    [
        ("ifrnet", "default", Options(), "comes without weights"),
        ("ifrnet_s", "missing.weights.h5", Options(), "no weight file missing.weights.h5"),
        ("flow_interpolation", "default", Options(), "computed outside TensorFlow"),
        ("ifrnet_s", None, Options(optimize=True, precision="float16"), "weights are float32"),
        ("ifrnet_s", None, Options(encoded_as="gif"), "encoded as png, jpeg. Received: gif"),
        ("flownet2_s", None, Options(encoded_as="png"), "estimates flow, which no image"),
    ],
)
def test_what_cannot_be_exported_is_refused(tmp_path, model, weights, options, said):
    with pytest.raises(InputError, match=said):
        saved_model.export_model(model, tmp_path / "out", weights, options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--model=ifrnet_s", "--lite=big"), "width x height"),
        (("--model=sepconv,padding=mirror",), "padding is one of improved, paper"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(tmp_path, capsys, given, said):
    arguments = (*given, "--weights=none", f"--output={tmp_path}/out")
    assert commands.run(export_model, *arguments) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_weights_of_another_network_are_refused(tmp_path, weight_file):
    with pytest.raises(InputError, match="differ from ifrnet_l"):
        saved_model.export_model("ifrnet_l", tmp_path / "out", weight_file)


def test_flow_estimators_have_a_flow_signature(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "SIZES", ((2, 33, 47),))
    about = saved_model.export_model("flownet2_s", tmp_path / "flownet2_s", None)
    assert set(about["signatures"]) == {"serving_default", "flow"}
    assert about["signatures"]["flow"]["outputs"] == {"flow": "float32 [?, ?, ?, 2]"}
    assert max(about["differences"].values()) < 1e-4
