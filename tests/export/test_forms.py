"""Other forms of an export: fewer bits, frozen, LiteRT."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.export import check, freeze, lite, onnx, saved_model
from tfvfi.export.saved_model import Options
from tfvfi.export.signatures import FLOAT_PAIR, TIME, core


@pytest.fixture(scope="module")
def model(weight_file):
    return registry.load("ifrnet_s", weight_file)


@pytest.fixture(scope="module")
def graph(model):
    return core(model)


def size(folder) -> int:
    return sum(path.stat().st_size for path in (folder / "variables").iterdir())


@pytest.mark.slow
def test_half_the_bits_are_half_the_size_and_the_same_arithmetic(
    tmp_path, weight_file, exported, monkeypatch
):
    monkeypatch.setattr(check, "SIZES", ((1, 33, 47),))
    about = saved_model.export_model(
        "ifrnet_s", tmp_path, weight_file, Options(precision="float16")
    )
    assert max(about["differences"].values()) < 1e-4
    # Other weights, to 11 bits, but no arithmetic in them.
    assert 0 < about["rounding"] < 5e-3
    assert f"{about['rounding']:.1e}" in (tmp_path / "1" / "card.md").read_text()
    folders = exported / "1", tmp_path / "1"
    whole, half = map(size, folders)
    assert 0.49 < half / whole < 0.52


@pytest.mark.slow
def test_freezing_changes_nothing(model, graph):
    kept, measured = freeze.where_faster(model, graph)
    assert measured["difference"] <= 1e-5 and measured["speedup"] > 0
    assert (len(kept.graph.captures) == 0) is measured["kept"]


def test_a_frozen_graph_has_no_variables(graph):
    frozen = freeze.frozen(graph)
    assert graph.captured_inputs and not frozen.captured_inputs
    assert [tensor.op.name for tensor in frozen.inputs] == ["frame0", "frame1", "time"]
    frame0, frame1 = tf.random.stateless_uniform([2, 1, 33, 47, 3], [1, 2])
    time = tf.constant([0.5])
    difference = graph(frame0, frame1, time) - frozen(frame0, frame1, time)
    assert float(tf.reduce_max(tf.abs(difference))) <= 1e-5


@pytest.mark.slow
def test_a_lite_file_gives_the_frame_of_the_model(tmp_path, model, graph):
    about = lite.write(tmp_path, model, graph, (64, 96))
    assert (tmp_path / "ifrnet_s_64x96.tflite").stat().st_size == about["bytes"] > 1e7
    assert about["difference"] < 1e-4


def test_a_frozen_graph_that_gives_another_result_is_not_kept(monkeypatch):
    model = registry.build("ifrnet_s")
    mean = tf.function(lambda frame0, frame1, time: (frame0 + frame1) / 2)
    graph = mean.get_concrete_function(*(FLOAT_PAIR | TIME).values())
    monkeypatch.setattr(freeze, "frozen", lambda graph: lambda *inputs: graph(*inputs) + 1e-3)
    kept, measured = freeze.where_faster(model, graph)
    assert kept is graph
    assert measured == {"kept": False, "reason": "it changes the result by 1.0e-03"}


def test_the_flow_inside_is_stored_in_fewer_bits_too():
    network = saved_model._with_precision({"flow": "pwcnet", "flow_weights": None}, "float16")
    model = registry.load("flow_interpolation", **network)
    assert "float16" in {variable.dtype for variable in model.variables}


@pytest.mark.slow
def test_an_onnx_file_gives_the_frame_of_the_model(tmp_path, model, graph):
    import onnxruntime

    about = onnx.write(tmp_path, model, graph)
    assert about["difference"] < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "ifrnet_s.onnx")
    assert [each.name for each in session.get_inputs()] == ["frame0", "frame1", "time"]
    frames = np.random.default_rng(3).random((2, 2, 47, 81, 3), "float32")
    time = np.float32([0.25, 0.75])
    (found,) = session.run(["frame"], {"frame0": frames[0], "frame1": frames[1], "time": time})
    np.testing.assert_allclose(found, graph(*map(tf.constant, (*frames, time))), atol=1e-4)


def test_what_onnx_needs_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(InputError, match="which is not installed: pip install"):
        onnx.check_installed()
