"""PWC-Net: golden arrays of every stage, its rule for sizes, its objective."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.models.shared import GOLDEN, FlowEstimatorCase, Golden, golden_arrays, seeded
from tests.pictures import texture
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.losses import endpoint_error
from tfvfi.models.flow_interpolation.network import FlowInterpolation
from tfvfi.models.pwcnet.checkpoint import rename, variable_names
from tfvfi.models.pwcnet.objective import objective
from tfvfi.ops import resize
from tfvfi.porting import port, rules_of

PARAMETERS = 9_374_274


@pytest.fixture(scope="module")
def arrays():
    return golden_arrays("pwcnet/pwcnet.npz")


@pytest.fixture(scope="module")
def reference():
    return seeded("pwcnet", "pwcnet/manifest.json")


def frame(arrays, name):
    """A stored frame as the network takes it: RGB."""
    return arrays[name][..., ::-1]


class TestPWCNet(FlowEstimatorCase):
    preset = "pwcnet"
    size = (64, 64)
    exact = ("predict_flow", "up_flow")

    def golden(self):
        arrays = golden_arrays("pwcnet/pwcnet.npz")
        # Case a needs no resizing.
        inputs = {"frame0": frame(arrays, "a_one"), "frame1": frame(arrays, "a_two")}
        outputs = {"flow": (arrays["a_flow"], 1e-4)}
        refined = arrays["a_flow_l2"] + arrays["a_refiner"]
        levels = [refined, *(arrays[f"a_flow_l{level}"] for level in (3, 4, 5, 6))]
        for at, level in enumerate(levels):
            outputs[f"flow_levels/{at}"] = (level, 3e-5)
        yield Golden(seeded("pwcnet", "pwcnet/manifest.json"), inputs, outputs)

    @pytest.mark.parametrize(
        "policy", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)]
    )
    def test_half_precision_keeps_coordinates(self, model, policy, monkeypatch):
        super().test_half_precision_keeps_coordinates(model, policy, monkeypatch)

    def test_a_portable_graph_has_stock_operations_and_equals_native(self, model):
        super().test_a_portable_graph_has_stock_operations_and_equals_native(model)


@pytest.mark.parametrize("case", ["a", "b"])
def test_golden_flow_of_frames_of_any_size(arrays, reference, case):
    pair = [np.ascontiguousarray(frame(arrays, f"{case}_{end}")[0]) for end in ("one", "two")]
    flow = reference.estimate(*pair)
    np.testing.assert_allclose(flow, arrays[f"{case}_flow"][0], atol=1e-4)


@pytest.mark.parametrize("case", ["a", "b"])
def test_golden_stages(arrays, reference, case):
    pair = [frame(arrays, f"{case}_{end}") for end in ("one", "two")]
    inside = [-(-side // 64) * 64 for side in pair[0].shape[1:3]]
    pair = [resize(frame, inside) for frame in pair]
    levels = reference.flow_levels(*pair)
    np.testing.assert_allclose(20 * levels[0], arrays[f"{case}_net_flow"], atol=1e-4)
    for at, level in enumerate((3, 4, 5, 6), start=1):
        np.testing.assert_allclose(levels[at], arrays[f"{case}_flow_l{level}"], atol=3e-5)
    features = reference.pyramid(pair[0][..., ::-1])
    for level in (1, 2, 3):
        found = np.asarray(features[level - 1])[:, ::8, ::8]
        np.testing.assert_allclose(found, arrays[f"{case}_feat_one_l{level}_s8"], atol=5e-5)
    for level in (5, 6):
        expected = arrays[f"{case}_feat_one_l{level}"]
        np.testing.assert_allclose(features[level - 1], expected, atol=5e-5)


def test_golden_decoders_on_features_of_both_signs(arrays, reference):
    """Natural images give a cost volume without negative values, on which the slope acts."""
    six, five = reference.decoders[:2]
    flow, features = six(arrays["u_six_one"], arrays["u_six_two"])
    np.testing.assert_allclose(flow, arrays["u_six_flow"], atol=2e-5)
    np.testing.assert_allclose(features, arrays["u_six_feat"], atol=2e-5)
    flow, _ = five(arrays["u_five_one"], arrays["u_five_two"], (flow, features))
    np.testing.assert_allclose(flow, arrays["u_five_flow"], atol=2e-5)


def test_published_names_and_shapes():
    spec = json.loads((GOLDEN / "pwcnet/manifest.json").read_text())
    names = variable_names({})
    assert list(names) == [row[0] for row in spec["manifest"]]
    assert len(set(names.values())) == len(names)
    assert sum(np.prod(row[1]) for row in spec["manifest"]) == PARAMETERS


def test_either_spelling_of_the_keys(reference):
    names = list(variable_names({}))
    assert [rename(key.replace("module", "net")) for key in names] == names
    shapes = json.loads((GOLDEN / "pwcnet/manifest.json").read_text())["manifest"]
    zeros = {row[0].replace("module", "net"): np.zeros(row[1], "float32") for row in shapes}
    model = registry.build("pwcnet")
    port(zeros, model, rules_of("pwcnet"))
    assert not any(np.any(variable) for variable in model.weights)


def test_objective_is_the_weighted_endpoint_error(arrays, reference):
    pair = {f"frame{at}": frame(arrays, f"a_{end}") for at, end in enumerate(("one", "two"))}
    truth = np.random.default_rng(3).normal(0, 4, (1, 128, 192, 2)).astype("float32")
    total, terms = objective(reference, {**pair, "flow": truth})
    levels = reference(pair)["flow_levels"]
    for level, weight in zip(range(2, 7), (0.005, 0.01, 0.02, 0.08, 0.32), strict=True):
        side = 2**level
        means = truth.reshape(1, 128 // side, side, 192 // side, side, 2).mean((2, 4)) / 20
        expected = weight * endpoint_error(levels[level - 2], means)
        np.testing.assert_allclose(terms[f"level{level}"], expected, rtol=1e-5)
    np.testing.assert_allclose(total, sum(float(term) for term in terms.values()), rtol=1e-6)
    with pytest.raises(InputError, match="learns from true flow, and these records hold none"):
        objective(reference, pair)


def test_real_middle_frames_tune_the_flow_through_the_interpolation():
    """Through splatting, warping and the cost volume, gradients reach every weight."""
    model = FlowInterpolation(flow=TestPWCNet.build())
    first, middle, second = (texture(64, 64, shift) for shift in (0, 1.5, 3))
    with tf.GradientTape() as tape:
        inputs = {"frame0": first, "frame1": second, "time": np.array([0.5], "float32")}
        loss = tf.reduce_mean(tf.abs(model(inputs)["frame"] - middle))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == 126
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
