"""Cycle consistency: the published terms and gradients, and what other networks make of it."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.golden.seeded import seeded_state
from tests.models.shared import GOLDEN, golden_arrays, named_variables
from tests.pictures import texture
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.losses import mutual_warping, total_variation
from tfvfi.models.cycle import cycle, cycle_pseudo, frozen_copy, three_passes
from tfvfi.models.superslomo.checkpoint import variable_names
from tfvfi.models.superslomo.objective import l1, perceptual_term
from tfvfi.porting import port, rules_of

# The published means, of brightness from 0 to 255, are weighted by these.
PUBLISHED = {"pixel": 0.8, "perceptual": 0.005, "warping": 0.4, "smoothness": 1, "teacher": 0.8}
FRAME, FLOW = 1e-2 / 255, 2e-4
THIN = {"widths": (6, 8, 10, 12, 14, 16)}
# Output -> array. Those of the cycle's own pass are one stage later than their names say: Ft are
# the flows before their refinement, and F those after it, to the second frame and to the first.
FLOWS = {
    "pred12": {"flow01": "F01", "flow10": "F10"},
    "pred23": {"flow01": "F01", "flow10": "F10"},
    "cycle": {"raw_flow0": "Ft0", "raw_flow1": "Ft1", "flow0": "F10", "flow1": "F01"},
}


@pytest.fixture(scope="module")
def arrays():
    return golden_arrays("cycle/cycle.npz")


@pytest.fixture(scope="module")
def vgg16():
    spec = json.loads((GOLDEN / "superslomo/vgg16.manifest.json").read_text())
    return seeded_state(spec["manifest"], spec["seed"])


@pytest.fixture(scope="module")
def state():
    """A checkpoint with a student and a teacher."""
    spec = json.loads((GOLDEN / "cycle/cycle.manifest.json").read_text())
    return seeded_state(spec["manifest"], spec["seed"])


def student_and_teacher(state, **options):
    taught = {key: value for key, value in state.items() if key.startswith("teacher.")}
    taught = {key.removeprefix("teacher."): value for key, value in taught.items()}
    return [network_of(tensors, **options) for tensors in (state, taught)]


def network_of(tensors, **options):
    network = registry.build("superslomo", **options)
    port(tensors, network, rules_of("superslomo"))
    return network


def published_batch(arrays, case):
    frames = {f"frame{i}": arrays[f"{case}_im{i + 1}"] / 255 for i in range(3)}
    return frames | {"time": (arrays[f"{case}_tindex"] / 8).astype("float32")}


def published_losses(total, terms):
    return [*(float(terms[name]) / PUBLISHED[name] for name in terms), float(total)]


def batch_of_textures(size=(32, 64), time=0.25):
    frames = {f"frame{i}": texture(*size, 1.5 * i) for i in range(3)}
    return frames | {"time": np.array([time], "float32")}


def test_terms_and_gradients_with_a_teacher(arrays, vgg16, state):
    student, teacher = student_and_teacher(state)
    batch = published_batch(arrays, "a")
    passes = three_passes(student, batch, training=True)
    for (*_, outputs), (name, flows) in zip(passes, FLOWS.items(), strict=True):
        for flow, published in flows.items():
            np.testing.assert_allclose(outputs[flow], arrays[f"a_{name}_{published}"], atol=FLOW)
        frame = arrays["a_cycle_out" if name == "cycle" else f"a_{name}"] / 255
        np.testing.assert_allclose(outputs["frame"], frame, atol=FRAME)

    with tf.GradientTape() as tape:
        total, terms = cycle_pseudo(teacher, vgg16)(student, batch)
    assert list(terms) == list(PUBLISHED)
    np.testing.assert_allclose(published_losses(total, terms), arrays["a_losses"], rtol=3e-6)
    np.testing.assert_allclose(total, sum(map(float, terms.values())), rtol=1e-6)
    variables, names = named_variables(student), variable_names(student.get_config())
    gradients = tape.gradient(total, [variables[name] for name in names.values()])
    norms = [np.linalg.norm(gradient) for gradient in gradients]
    np.testing.assert_allclose(norms, arrays["a_grad_l2"], rtol=2e-3)
    # Kernels are (height, width, in, out) here and were (out, in, height, width) there.
    found = np.asarray(dict(zip(names, gradients, strict=True))["forward_flow_conv.weight"])
    expected = arrays["a_grad_forward_flow_conv"].reshape(2, -1)
    np.testing.assert_allclose(found[0, 0].T, expected, atol=1e-4 * np.abs(expected).max())
    assert not {id(each) for each in teacher.weights} & {id(each) for each in student.weights}

    found = published_losses(*cycle(vgg16)(student, batch))
    # Without a teacher its term was printed, but not added.
    np.testing.assert_allclose(found, np.delete(arrays["a_losses_cc_only"], 4), rtol=3e-6)


@pytest.mark.slow
def test_a_batch_at_half_the_size(arrays, vgg16, state):
    student, teacher = student_and_teacher(state, flow_scale=2)
    batch = published_batch(arrays, "b")
    found = published_losses(*cycle_pseudo(teacher, vgg16)(student, batch))
    np.testing.assert_allclose(found, arrays["b_losses"], rtol=3e-6)
    passes = three_passes(student, batch, training=True)
    for (_, _, outputs), name in zip(passes, ("pred12", "pred23", "cycle_out"), strict=True):
        np.testing.assert_allclose(outputs["frame"], arrays[f"b_{name}"] / 255, atol=FRAME)


def test_published_evaluation(arrays, vgg16, state):
    """The outer two frames are interpolated, and only they are warped onto each other."""
    student = network_of(state)
    frame0, target, frame1 = (arrays[f"a_im{i}"] / 255 for i in (1, 2, 3))
    outputs = student({"frame0": frame0, "frame1": frame1, "time": arrays["e_tindex"] / 8})
    np.testing.assert_allclose(outputs["frame"], arrays["e_out"] / 255, atol=FRAME)
    flows = outputs["flow01"], outputs["flow10"]
    perceptual = perceptual_term(vgg16)(outputs["frame"], target, student.mean)["perceptual"]
    found = [
        255 * l1(outputs["frame"], target),
        perceptual / PUBLISHED["perceptual"],
        255 * mutual_warping(frame0, frame1, *flows, student.warp),
        sum(map(total_variation, flows)),
    ]
    np.testing.assert_allclose(found, arrays["e_losses"][:4], rtol=3e-6)


def test_pseudo_supervision_is_zero_at_the_first_step():
    network = registry.build("superslomo", **THIN)
    teacher = frozen_copy(network)
    objective = cycle_pseudo(teacher)
    batch = batch_of_textures()
    assert float(objective(network, batch)[1]["teacher"]) == 0

    assert not teacher.trainable_variables
    kept = [np.asarray(weight).copy() for weight in teacher.weights]
    with tf.GradientTape() as tape:
        total, _ = objective(network, batch)
    gradients = tape.gradient(total, network.trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        variable.assign_sub(1e-3 * gradient)
    assert float(objective(network, batch)[1]["teacher"]) > 0
    for weight, before in zip(teacher.weights, kept, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_a_teacher_must_be_a_network():
    with pytest.raises(InputError, match=r"needs a teacher.*frozen_copy.*Received: None"):
        cycle_pseudo(None)


@pytest.fixture(scope="module")
def ifrnet():
    return registry.build("ifrnet_s")


def test_a_network_without_flows_between_the_frames(ifrnet):
    network = ifrnet
    batch = batch_of_textures()
    total, terms = cycle()(network, batch)
    assert set(terms) == {"pixel", "warping", "smoothness"}
    passes = three_passes(network, batch, training=True)
    variations = [
        total_variation(outputs[name]) for *_, outputs in passes for name in ("flow0", "flow1")
    ]
    np.testing.assert_allclose(terms["smoothness"], sum(variations), rtol=1e-6)
    with tf.GradientTape() as tape:
        total, _ = cycle()(network, batch)
    gradients = tape.gradient(total, network.trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


# The other kinds of networks are fast.
@pytest.mark.slow
def test_a_network_that_has_flows_between_the_frames_only():
    network = registry.build("softsplat")
    batch = batch_of_textures((64, 64))
    with tf.GradientTape() as tape:
        total, terms = cycle()(network, batch)
    gradients = tape.gradient(total, network.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert set(terms) == {"pixel", "warping", "smoothness"}
    passes = three_passes(network, batch, training=True)
    flows = [[outputs[name] for name in ("flow01", "flow10")] for *_, outputs in passes]
    exchanges = [mutual_warping(a, b, *pair) for (a, b, _), pair in zip(passes, flows, strict=True)]
    np.testing.assert_allclose(terms["warping"], 102 * sum(exchanges), rtol=1e-5)


def test_a_network_of_kernels_is_trained_in_the_middle_without_flows():
    network = registry.build("sepconv")
    batch = batch_of_textures((64, 64), time=0.125)
    teacher = frozen_copy(network)
    network.trainable_variables[0].assign_add(
        0.1 * np.ones(network.trainable_variables[0].shape, "float32")
    )
    with tf.GradientTape() as tape:
        total, terms = cycle_pseudo(teacher)(network, batch)
    assert set(terms) == {"pixel", "teacher"}
    gradients = tape.gradient(total, network.trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_weights_that_answer_the_middle_only_learn_at_the_middle(ifrnet, monkeypatch):
    network = ifrnet
    monkeypatch.setattr(network, "times", (0.5,))
    batch = batch_of_textures(time=0.125)
    found = [float(term) for term in cycle()(network, batch)[1].values()]
    network.times = "any"
    middle = [
        float(term) for term in cycle()(network, {**batch, "time": np.array([0.5])})[1].values()
    ]
    np.testing.assert_allclose(found, middle, rtol=1e-6)
    network.times = (0.25,)
    with pytest.raises(InputError, match=r"answers the middle. Received: ifrnet_s.*0\.25"):
        cycle()(network, batch)


class Blend:
    """A network without flows: both frames, mixed."""

    input_names = ("frame0", "frame1", "time")
    times = "any"

    def __call__(self, inputs, training):
        time = inputs["time"][:, None, None, None]
        return {"frame": (1 - time) * inputs["frame0"] + time * inputs["frame1"]}


def test_a_network_without_flows_has_the_pixel_term_alone():
    frames = np.random.default_rng(0).uniform(size=(3, 1, 4, 4, 3)).astype("float32")
    batch = {f"frame{i}": frame for i, frame in enumerate(frames)} | {"time": np.array([0.25])}
    total, terms = cycle()(Blend(), batch)
    # A quarter on, then three quarters on: half way, but of mixtures.
    first, second = 0.75 * frames[0] + 0.25 * frames[1], 0.75 * frames[1] + 0.25 * frames[2]
    expected = 204 * np.abs(0.25 * first + 0.75 * second - frames[1]).mean()
    assert set(terms) == {"pixel"}
    np.testing.assert_allclose(total, expected, rtol=1e-5)
