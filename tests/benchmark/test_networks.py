"""The benchmark of networks: what they cost, processes in turns, a table and a picture."""

import csv
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

import tfvfi.cli.benchmark as tool
from tests import commands
from tfvfi import machine, ops, registry
from tfvfi.benchmark import chart, cost, engines, inputs, networks
from tfvfi.benchmark.contender import Contender, RefusedError
from tfvfi.benchmark.task import Task
from tfvfi.cli import command
from tfvfi.errors import InputError
from tfvfi.layers import Conv2D, Double
from tfvfi.machine import Ceiling, ceiling, describe
from tfvfi.registry import ModelSpec

CEILING = Ceiling({"float32": 100.0, "bfloat16": 200.0}, 10.0)


@pytest.fixture(autouse=True)
def small_ceiling(monkeypatch):
    monkeypatch.setattr(machine, "MATRIX", 128)
    monkeypatch.setattr(machine, "COPIED", 2**20)


def run(*arguments):
    return commands.run(tool, *arguments)


def row(**changes):
    made = networks.Measured(
        "ifrnet_s", 2.8, "64x64", 1.0, "float32", "tfvfi", "", 3, 0.2, 0.1, 0.4, 5.0, 0.05, 100, 1,
        1.0, float("inf"),
    )  # fmt: skip
    return replace(made, **changes)


def test_parameters_and_operations_are_those_of_the_paper():
    network = registry.build("ifrnet_s")
    assert cost.parameters(network) == 2_803_610
    # 25.27 by the count of pnnx, which adds activations.
    assert cost.gflop(network, 256, 448) == pytest.approx(25.19, abs=0.01)
    ratio = cost.gflop(network, 720, 1280) / cost.gflop(network, 256, 448)
    assert ratio == pytest.approx(720 * 1280 / (256 * 448))
    # Sizes that do not divide are padded inside.
    assert cost.gflop(network, 241, 433) == cost.gflop(network, 256, 448)


def counted(function, *shapes):
    import tensorflow as tf

    specs = [tf.TensorSpec(shape) for shape in shapes]
    graph = tf.function(function).get_concrete_function(*specs).graph
    return sum(map(cost.multiplications, graph.get_operations()))


def test_operations_of_single_layers_by_hand():
    assert counted(Conv2D(5, 3, strides=2), (1, 8, 6, 4)) == 4 * 3 * 5 * 3 * 3 * 4
    assert counted(Double(5), (1, 8, 6, 4)) == 8 * 6 * 4 * 4 * 4 * 5


def test_operations_of_compiled_operations_by_hand():
    by_hand = 8 * 6 * np.array([81 * 4, 3 * 25, 3 * 7 * 8])
    if not ops.native_available():
        by_hand *= 0
    taps = [(1, 8, 6, 7)] * 2
    found = [
        counted(ops.correlation, (1, 8, 6, 4), (1, 8, 6, 4)),
        counted(ops.local_convolution, (1, 12, 10, 3), (1, 8, 6, 5, 5)),
        counted(ops.separable_convolution, (1, 14, 12, 3), *taps),
    ]
    np.testing.assert_array_equal(found, by_hand)


def test_the_machine_has_a_ceiling():
    found = ceiling(("float32",))
    assert found.gflop_per_s["float32"] > 0.1 and found.copied_gb_per_s > 0.1
    assert "GFLOP/s" in str(found) and "cores" in describe(2)


def test_the_second_frame_is_the_first_moved():
    first, second, time = inputs.arrays(32, 48, with_time=True)
    shift = int(inputs.MOTION)
    np.testing.assert_allclose(second[:, :, shift:], first[:, :, :-shift], atol=1e-5)
    assert time == 0.5 and first.min() >= 0 and first.max() <= 1 and first.std() > 0.1
    assert len(inputs.arrays(32, 48, with_time=False)) == 2


@pytest.mark.parametrize(
    "precisions", [("float32",), pytest.param(("float32", "bfloat16"), marks=pytest.mark.slow)]
)
def test_the_command_measures_and_draws(precisions, tmp_path, capsys):
    output = tmp_path / "new" / "speed.csv"
    arguments = ("--model=ifrnet_s", "--size=64x48", "--repeats=2", f"--output={output}")
    assert run(*arguments, f"--precision={','.join(precisions)}") == command.DONE
    shown = capsys.readouterr().out
    with output.open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(each["precision"] for each in rows) == precisions
    for each in rows:
        assert each["median_s"] in shown and each["runs"] == "2"
        assert float(each["lowest_s"]) <= float(each["median_s"]) <= float(each["highest_s"])
        assert float(each["peak_mib"]) > 100 and float(each["gflop_per_s"]) > 0
    exact, *rounded = [float(each["db_to_ours"]) for each in rows]
    assert exact == float("inf") and all(30 < found < 100 for found in rounded)
    assert "matrix product" in shown
    ElementTree.parse(output.with_suffix(".svg"))


def test_a_process_that_cannot_says_why(tmp_path):
    task = Task("tfvfi", "ifrnet_s", "missing.weights.h5", 48, 64, "float32", 1, str(tmp_path))
    with pytest.raises(RefusedError, match="missing"):
        Contender(task)


def test_pictures_of_bars():
    rows = [row(), row(engine="<torch>", median_s=0.1), row(size="128x64", precision="bfloat16")]
    picture = ElementTree.fromstring(chart.chart(rows, ["a machine", "more & more"]))
    inside = "{http://www.w3.org/2000/svg}"
    bars = [float(each.get("width")) for each in picture.findall(f"{inside}rect")][1:]
    # The longest run of each group spans the picture.
    assert bars == [chart.BARS / 2, chart.BARS / 4, chart.BARS / 2]
    texts = [each.text for each in picture.findall(f"{inside}text")]
    assert "<torch> float32" in texts and "more & more" in texts
    assert [text for text in texts if text.startswith("ifrnet_s")] == [
        "ifrnet_s, 64x64",
        "ifrnet_s, 128x64",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --model=NAME or --ops"),
        (("--model=nothing",), "there is no model 'nothing'"),
        (("--model=ifrnet_s", "--vs=abacus"), "is compared with torch"),
        (("--model=ifrnet_s", "--precision=int3"), "--precision takes float32"),
        (("--model=ifrnet_s", "--size=64"), "such as 1280x720"),
    ],
)
def test_mistakes_get_one_sentence(arguments, said, capsys):
    assert run(*arguments) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_engines_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "openvino" else name)
    engines.check_installed(["torch"])
    with pytest.raises(InputError, match="pip install openvino, or leave openvino out of `vs`"):
        engines.check_installed(["torch", "openvino"])


@pytest.mark.slow
def test_pytorch_paints_the_same(tmp_path):
    subject = ModelSpec("ifrnet_s", weights=None)
    rows = networks.measure(subject, 61, 47, ("float32",), ["torch"], 1, 2, CEILING)
    assert [each.engine for each in rows] == ["tfvfi", "torch", "torch compiled"]
    assert all(each.db_to_ours > 90 for each in rows)
