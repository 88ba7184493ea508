"""SoftSplat: golden arrays of every stage and time, conversion, gradients through splatting."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.golden.seeded import seeded_state
from tests.models.shared import GOLDEN, Golden, InterpolatorCase, golden_arrays, seeded
from tests.pictures import texture
from tfvfi import registry
from tfvfi.losses import Perceptual, laplacian
from tfvfi.models.objectives import features_of_vgg19
from tfvfi.models.softsplat.checkpoint import rename, variable_names
from tfvfi.models.softsplat.network import statistics
from tfvfi.models.softsplat.objective import objective
from tfvfi.porting import convert

PARAMETERS = 7_668_852
CASES = [("a", 0.5), ("a", 0.25), ("b", 0.5)]


@pytest.fixture(scope="module")
def arrays():
    return golden_arrays("softsplat/softsplat.npz")


@pytest.fixture(scope="module")
def reference():
    return seeded("softsplat", "softsplat/manifest.json")


def pair(arrays, case):
    """The stored frames as the network takes them: RGB."""
    return [np.ascontiguousarray(arrays[f"{case}_{end}"][..., ::-1]) for end in ("one", "two")]


class TestSoftSplat(InterpolatorCase):
    preset = "softsplat"
    size = (32, 48)
    exact = ("predict_flow",)

    @pytest.fixture(scope="class")
    @classmethod
    def cases(cls, arrays, reference):
        return list(cls().golden(arrays, reference))

    # Its graph is large; the portable form is compared with the golden arrays.
    @pytest.mark.slow
    def test_a_portable_graph_has_stock_operations_and_equals_native(self, model):
        super().test_a_portable_graph_has_stock_operations_and_equals_native(model)

    def golden(self, arrays, model):
        # Case a needs no padding.
        frames = dict(zip(("frame0", "frame1"), pair(arrays, "a"), strict=True))
        known = {
            name: (arrays[f"a_{name}"], tolerance)
            for name, tolerance in (
                ("flow01", 1e-4),
                ("flow10", 1e-4),
                ("metric01", 3e-5),
                ("metric10", 3e-5),
            )
        }
        for time in (0.5, 0.25):
            expected = arrays[f"a_t{time}_out"][..., ::-1]
            inputs = {**frames, "time": np.array([time], "float32")}
            yield Golden(model, inputs, {"frame": (expected, 5e-5), **known})


# Those of the other size are in `test_flow_and_features_are_computed_once_for_several_times`.
def test_golden_frame_of_a_size_that_is_padded(arrays, reference):
    frames = pair(arrays, "b")
    (found,) = reference.interpolate(*(frame[0] for frame in frames), times=(0.5,))
    expected = np.clip(arrays["b_t0.5_out"][0, ..., ::-1], 0, 1)
    np.testing.assert_allclose(found, expected, atol=5e-5)


@pytest.mark.parametrize(("case", "time"), CASES)
def test_golden_stages(arrays, reference, case, time):
    frames = [reference.pad(frame) for frame in pair(arrays, case)]
    mean, deviation = statistics(*frames)
    normalized = (np.concatenate(frames)[..., ::-1] - mean) / deviation
    np.testing.assert_allclose(normalized[:1], arrays[f"{case}_norm_one"], atol=2e-6)
    flows = reference.flow_network(normalized)
    np.testing.assert_allclose(flows[0][:1], arrays[f"{case}_flow01"], atol=1e-4)
    np.testing.assert_allclose(flows[0][1:], arrays[f"{case}_flow10"], atol=1e-4)
    for level in range(1, 7):
        expected = arrays[f"{case}_flow01_l{level}"]
        np.testing.assert_allclose(flows[level][:1], expected, atol=1e-4)
    known = reference.prepare(*frames)
    for name in ("metric01", "metric10"):
        np.testing.assert_allclose(known[name], arrays[f"{case}_{name}"], atol=3e-5)
    merged = reference.merger(
        known["features0"],
        known["features1"],
        known["flow01"] * time,
        known["flow10"] * (1 - time),
        known["metric01"] * 2 * time,
        known["metric10"] * 2 * (1 - time),
    )
    for level in range(3):
        sparse = [np.asarray(maps[level])[:, ::8, ::8] for maps in (known["features0"], merged)]
        stored = (f"{case}_enc_one_l{level}_s8", f"{case}_t{time}_warp_l{level}_s8")
        for found, name in zip(sparse, stored, strict=True):
            np.testing.assert_allclose(found, arrays[name], atol=1e-4)


def test_golden_decoders_on_features_of_both_signs(arrays, reference):
    six, five = reference.flow_network.decoders[:2]
    flow = six(arrays["u_six_one"], arrays["u_six_two"])
    np.testing.assert_allclose(flow, arrays["u_six_flow"], atol=3e-5)
    flow = five(arrays["u_five_one"], arrays["u_five_two"], flow)
    np.testing.assert_allclose(flow, arrays["u_five_flow"], atol=5e-5)


def test_golden_merging_with_metrics_beyond_the_clip(arrays, reference):
    features = [[arrays[f"u_enc_{end}_l{level}"] for level in range(3)] for end in ("one", "two")]
    assert max(np.abs(arrays[f"u_metric_{end}"]).max() for end in ("one", "two")) > 20
    flows, metrics = (
        [arrays[f"u_{kind}_{end}"] for end in ("one", "two")] for kind in ("flow", "metric")
    )
    for level, found in enumerate(reference.merger(*features, *flows, *metrics)):
        np.testing.assert_allclose(found, arrays[f"u_warp_l{level}"], atol=5e-5)


def test_published_names_and_shapes():
    spec = json.loads((GOLDEN / "softsplat/manifest.json").read_text())
    names = variable_names({})
    assert list(names) == [row[0] for row in spec["manifest"]]
    assert len(set(names.values())) == len(names)
    assert sum(np.prod(row[1]) for row in spec["manifest"]) == PARAMETERS


def test_either_spelling_of_the_keys():
    names = list(variable_names({}))
    assert [rename(key.replace("module", "net")) for key in names] == names


# A conversion is fast in tests/models/test_sepconv.py.
@pytest.mark.slow
def test_the_other_spelling_of_the_keys_converts(reference, tmp_path):
    spec = json.loads((GOLDEN / "softsplat/manifest.json").read_text())
    values = seeded_state(spec["manifest"], spec["seed"])
    source, target = tmp_path / "network-lf.npz", tmp_path / "a.weights.h5"
    np.savez(source, **{key.replace("module", "net"): value for key, value in values.items()})
    convert("softsplat", source, target)
    converted = registry.load("softsplat", weights=target)
    # The reference was ported by the other spelling.
    for one, other in zip(converted.weights, reference.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_flow_and_features_are_computed_once_for_several_times(arrays, reference, monkeypatch):
    counted = []
    prepare = reference._prepare
    monkeypatch.setattr(reference, "_prepare", lambda *pair: counted.append(1) or prepare(*pair))
    times = (0.5, 0.25, 0.8, 0.25)
    frames = reference.interpolate(*(frame[0] for frame in pair(arrays, "a")), times)
    assert len(frames) == 4 and len(counted) == 1
    for time, frame in zip(times, frames, strict=True):
        if time != 0.8:
            expected = np.clip(arrays[f"a_t{time}_out"][0, ..., ::-1], 0, 1)
            np.testing.assert_allclose(frame, expected, atol=5e-5)


def test_the_flow_inside_can_be_had(arrays, reference):
    first, second = (frame[0] for frame in pair(arrays, "b"))
    flow = reference.estimate(first, second)
    assert flow.shape == (67, 93, 2)
    np.testing.assert_allclose(flow, arrays["b_flow01"][0, :67, :93], atol=1e-4)


def batch(size=64, flow=3.0):
    frames = {
        name: tf.constant(texture(size, size, shift))
        for name, shift in (("frame0", 0), ("target", flow / 2), ("frame1", flow))
    }
    return {**frames, "time": tf.constant([0.5])}


def test_objective_is_the_laplacian_loss_of_the_frame(reference):
    inputs = batch()
    total, terms = objective(reference, inputs)
    frame = reference({key: inputs[key] for key in reference.input_names})["frame"]
    np.testing.assert_allclose(total, laplacian(frame, inputs["target"]), rtol=1e-5)
    np.testing.assert_allclose(total, sum(terms.values()))


def vgg19():
    """Random weights in the published layout, up to the layer that is compared."""
    draw, channels, values, index = np.random.default_rng(0).normal, 3, {}, 0
    for depth, width in zip((2, 2, 4, 4), (64, 128, 256, 512), strict=True):
        for _ in range(depth):
            shape = (width, channels, 3, 3)
            kernel = draw(0, np.sqrt(2 / (9 * channels)), shape)
            values[f"features.{index}.weight"] = kernel.astype("float32")
            values[f"features.{index}.bias"] = np.zeros(width, "float32")
            channels, index = width, index + 2
        index += 1
    return values


@pytest.mark.parametrize("name", ["laplacian", pytest.param("perceptual", marks=pytest.mark.slow)])
def test_gradients_reach_the_flow_through_the_splatting(reference, name):
    """The gradient to the flow network's weights is the slope of the loss along it."""
    loss, inputs = (objective if name == "laplacian" else features_of_vgg19(vgg19())), batch()
    variables = reference.flow_network.trainable_variables
    values = [variable.numpy() for variable in variables]
    with tf.GradientTape() as tape:
        before, terms = loss(reference, inputs)
    assert list(terms) == [name]
    gradients = tape.gradient(before, variables)
    assert len(gradients) == 96 and all(np.abs(gradient).max() > 0 for gradient in gradients)
    norm = float(tf.linalg.global_norm(gradients))
    losses = []
    for step in (-3e-5, 3e-5):
        for variable, value, gradient in zip(variables, values, gradients, strict=True):
            variable.assign(value + step / norm * gradient)
        losses.append(float(loss(reference, inputs)[0]))
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    assert losses[1] - losses[0] == pytest.approx(6e-5 * norm, rel=0.1)


def test_perceptual_objective_is_the_published_layer(reference):
    inputs, values = batch(), vgg19()
    total, _ = features_of_vgg19(values)(reference, inputs)
    frame = reference({key: inputs[key] for key in reference.input_names})["frame"]
    expected = Perceptual(values, layer="relu4_4", network="vgg19")(frame, inputs["target"])
    np.testing.assert_allclose(total, expected, rtol=1e-5)
