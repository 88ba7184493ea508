"""FlowNet 2.0: golden arrays of all six, its units and borders, its objective."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.shared import (
    GOLDEN,
    FlowEstimatorCase,
    Golden,
    channels_last,
    golden_arrays,
    seeded,
)
from tests.pictures import texture
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.losses import flow_difference, multi_scale_flow
from tfvfi.models.flownet2.checkpoint import variable_names
from tfvfi.models.flownet2.network import without_mean
from tfvfi.models.flownet2.objective import objective

PARAMETERS = {
    "flownet2_c": 39_175_298,
    "flownet2_s": 38_676_506,
    "flownet2_sd": 45_371_666,
    "flownet2_cs": 77_870_620,
    "flownet2_css": 116_565_942,
    "flownet2": 162_518_834,
}


def like_the_reference(preset):
    return seeded(preset, f"flownet2/{preset}.manifest.json")


def pair():
    """The frames of the reference, (1, 64, 128, 3)."""
    frames = golden_arrays("flownet2/flows.npz")["input"].astype("float32") / 255
    return {f"frame{at}": channels_last(frames[:, :, at]) for at in (0, 1)}


class FlowNetCase(FlowEstimatorCase):
    """One preset: what every flow estimator must do, and the stored flows."""

    size = (64, 64)
    exact = ("predict_flow", "upsampled_flow")

    def golden(self):
        arrays = golden_arrays("flownet2/flows.npz")
        outputs = {"flow": (arrays[f"{self.preset}.flow"], 2e-4)}
        for level in range(2, 7):
            if f"{self.preset}.train_flow{level}" in arrays:
                expected = arrays[f"{self.preset}.train_flow{level}"]
                outputs[f"flow_levels/{level - 2}"] = (expected, 1e-5)
        yield Golden(like_the_reference(self.preset), pair(), outputs)


class TestFlowNetS(FlowNetCase):
    preset = "flownet2_s"


@pytest.mark.slow
class TestFlowNetC(FlowNetCase):
    preset = "flownet2_c"


@pytest.mark.slow
class TestFlowNetSD(FlowNetCase):
    preset = "flownet2_sd"


@pytest.mark.slow
class TestFlowNetCS(FlowNetCase):
    preset = "flownet2_cs"


@pytest.mark.slow
class TestFlowNetCSS(FlowNetCase):
    preset = "flownet2_css"


@pytest.mark.slow
class TestFlowNet2(FlowNetCase):
    preset = "flownet2"


@pytest.mark.parametrize("preset", ["flownet2_c", "flownet2_sd"])
def test_golden_flow_of_the_other_single_networks(preset):
    arrays = golden_arrays("flownet2/flows.npz")
    outputs = like_the_reference(preset)(pair())
    np.testing.assert_allclose(outputs["flow"], arrays[f"{preset}.flow"], atol=2e-4)
    for level, flow in enumerate(outputs["flow_levels"], start=2):
        np.testing.assert_allclose(flow, arrays[f"{preset}.train_flow{level}"], atol=1e-5)


@pytest.mark.slow
def test_every_step_of_the_whole_chain():
    arrays = golden_arrays("flownet2/flows.npz")
    model = like_the_reference("flownet2")
    frame0, frame1 = without_mean(*pair().values())
    steps = model.steps(frame0, frame1)
    for step, name in zip(steps, ("flownetc", "flownets1", "flownets2"), strict=True):
        expected = arrays[f"flownet2.{name}_flow2"]
        np.testing.assert_allclose(step["flow_levels"][0], expected, atol=1e-5)
    full, half, quarter = model.fused(frame0, frame1, steps[-1]["flow"])
    np.testing.assert_allclose(full, arrays["flownet2.flow"], atol=2e-4)
    np.testing.assert_allclose(half, arrays["flownet2.fusion_flow1"], atol=1e-4)
    np.testing.assert_allclose(quarter, arrays["flownet2.fusion_flow2"], atol=1e-4)


@pytest.mark.parametrize("preset", PARAMETERS)
def test_published_names_and_shapes(preset):
    spec = json.loads((GOLDEN / f"flownet2/{preset}.manifest.json").read_text())
    names = variable_names(registry.preset(preset).config)
    assert set(names) == {row[0] for row in spec["manifest"]}
    assert len(set(names.values())) == len(names)
    assert sum(np.prod(row[1]) for row in spec["manifest"]) == PARAMETERS[preset]


def test_the_mean_is_exact_on_a_large_frame():
    frame = np.random.default_rng(0).uniform(size=(1, 512, 1024, 3)).astype("float32")
    found, _ = without_mean(frame, frame)
    expected = frame - frame.astype("float64").mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found, expected, atol=5e-7)


def test_padding_leaves_pixels_as_they_are():
    model = registry.build("flownet2_s", fit="pad")
    a, b = texture(50, 100)[0], texture(50, 100, 2.0)[0]
    flow = model.estimate(a, b)
    padded = [np.pad(frame, ((0, 14), (0, 28), (0, 0)), mode="edge")[None] for frame in (a, b)]
    whole = model({"frame0": padded[0], "frame1": padded[1]})["flow"]
    np.testing.assert_allclose(flow, np.asarray(whole)[0, :50, :100], atol=1e-4)
    with pytest.raises(InputError, match=r"fit is one of resize, pad\. Received: 'crop'"):
        registry.build("flownet2_s", fit="crop")


class Fixed:
    """Stands for a network: answers the same flow to every pair, and notes the pairs."""

    input_names = ("frame0", "frame1")

    def __init__(self, **outputs):
        self.outputs = outputs
        self.asked = []

    def __call__(self, inputs, training=None):
        self.asked.append(inputs)
        return self.outputs


def batch_of(rng, flow):
    frames = {key: rng.uniform(size=(2, 64, 64, 3)) for key in ("frame0", "frame1", "target")}
    frames = {key: tf.constant(frame, tf.float32) for key, frame in frames.items()}
    return {**frames, "flow": tf.constant(flow)} if flow is not None else frames


def test_objective_with_true_flow_asks_both_directions():
    rng = np.random.default_rng(4)
    truth = rng.normal(0, 5, (2, 64, 64, 4)).astype("float32")
    levels = [rng.normal(0, 1, (2, 16 >> n, 16 >> n, 2)).astype("float32") for n in range(5)]
    batch = batch_of(rng, truth)
    alone = Fixed(flow=truth[..., :2], flow_levels=levels)
    total, terms = objective(alone, batch)
    assert [pair["frame0"] is batch["target"] for pair in alone.asked] == [True, True]
    assert [pair["frame1"] is batch[f"frame{end}"] for end, pair in enumerate(alone.asked)]
    for end in (0, 1):
        expected, _ = multi_scale_flow(levels, truth[..., 2 * end : 2 * end + 2])
        np.testing.assert_allclose(terms[f"flow{end}"], expected, rtol=1e-6)
    np.testing.assert_allclose(total, terms["flow0"] + terms["flow1"], rtol=1e-6)

    _, terms = objective(Fixed(flow=truth[..., :2]), batch)
    expected = flow_difference(truth[..., :2], truth[..., 2:], "l1")
    np.testing.assert_allclose([terms["flow0"], terms["flow1"]], [0, expected], rtol=1e-6)


def tune(model, loss, steps, rate):
    """Trains a network by a loss without arguments; checks that every weight moved."""
    before = model.get_weights()
    optimizer = keras.optimizers.Adam(rate)
    values = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        values.append(float(value))
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))
    return values


# One step is fast in every network's own class.
@pytest.mark.slow
def test_without_truth_the_weights_change_and_the_error_falls():
    """In the origin no gradient reached the weights."""
    model = TestFlowNetS.build()
    frames = {"frame0": texture(64, 64), "frame1": texture(64, 64, 1.5)}
    assert set(objective(model, frames)[1]) == {"photometric", "smoothness"}
    values = tune(model, lambda: objective(model, frames)[0], steps=6, rate=1e-5)
    assert values[-1] < values[0]
