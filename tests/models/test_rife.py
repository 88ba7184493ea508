"""RIFE: golden arrays of every version, doubled scales, options, borders, its objective."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tests.golden.seeded import seeded_state
from tests.models.shared import (
    GOLDEN,
    Golden,
    InterpolatorCase,
    golden_arrays,
    named_variables,
    seeded,
)
from tests.pictures import texture
from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.models.rife.blocks import pixel_shuffle
from tfvfi.models.rife.checkpoint import variable_names
from tfvfi.models.rife.network import RIFE
from tfvfi.models.rife.objective import objective
from tfvfi.porting import port, rules_of

VERSIONS = ("rife_v3_8", "rife_v4_0", "rife_v4_6", "rife_v4_15_lite", "rife_v4_25")
SMALL = {"widths": (16, 16, 16, 16)}
SMALL_REFINED = {**SMALL, "context": 8}
THREE_BLOCKS = {"widths": (16, 16, 16)}
FIVE_BLOCKS = {"widths": (16, 16, 16, 16, 16)}


def like_the_reference(preset, **options):
    return seeded(preset, f"rife/{preset}.manifest.json", **options)


def with_large_motion(gain, **options):
    """RIFE 4.0 whose second block finds large motion."""
    spec = json.loads((GOLDEN / "rife/rife_v4_0.manifest.json").read_text())
    rows = [
        [key, shape, kind, gain if key == "block1.lastconv.weight" else usual]
        for key, shape, kind, usual in spec["manifest"]
    ]
    model = registry.build("rife_v4_0", **options)
    port(seeded_state(rows, spec["seed"]), model, rules_of("rife_v4_0"))
    return model


def unbuilt(preset, **options):
    """A network without variables, which is enough for what depends on its arguments."""
    known = registry.preset(preset)
    return RIFE(name=preset, times=known.times, **{**known.config, **options})


def pair():
    arrays = golden_arrays("rife/inputs.npz")
    return {f"frame{at}": arrays[f"img{at}"].astype("float32") / 255 for at in (0, 1)}


# Golden frame -> preset, options, time.
CASES = {
    "v3_8": ("rife_v3_8", {}, 0.5),
    "v4_0_refined_t500": ("rife_v4_0", {}, 0.5),
    "v4_0_large_t500": ("rife_v4_0", {"refine": False}, 0.5),
    "v4_6_ensemble_t500": ("rife_v4_6", {"ensemble": True}, 0.5),
    "v4_15_lite_t250": ("rife_v4_15_lite", {}, 0.25),
    "v4_25_t250": ("rife_v4_25", {}, 0.25),
}
# What adds little to those above and takes as long.
MORE_CASES = {
    "v3_8_ensemble": ("rife_v3_8", {"ensemble": True}, 0.5),
    "v4_0_fast_t250": ("rife_v4_0", {"refine": False}, 0.25),
    "v4_0_ensemble_t500": ("rife_v4_0", {"refine": False, "ensemble": True}, 0.5),
    "v4_6_t250": ("rife_v4_6", {}, 0.25),
    "v4_15_lite_ensemble_t500": ("rife_v4_15_lite", {"ensemble": True}, 0.5),
}


def golden_of(cases):
    """The golden frames of some cases, with their networks."""
    expected = golden_arrays("rife/outputs.npz")
    for name, (preset, options, time) in cases.items():
        if "large" in name:
            model = with_large_motion(expected["v4_0_large_gain"], **options)
        else:
            model = like_the_reference(preset, **options)
        inputs = {**pair(), "time": np.float32([time])}
        yield Golden(model, inputs, {"frame": (expected[name], 2e-5)})


class TestRIFE40(InterpolatorCase):
    preset = "rife_v4_0"
    options = SMALL_REFINED
    size = (64, 128)

    def golden(self):
        return golden_of(CASES)


class SmallerCase(InterpolatorCase):
    """Another version, whose golden arrays `TestRIFE40` has."""

    options = SMALL

    def golden(self):
        return iter(())


@pytest.mark.slow
class TestRIFE38(SmallerCase):
    preset = "rife_v3_8"
    options = THREE_BLOCKS


@pytest.mark.slow
class TestRIFE425(SmallerCase):
    preset = "rife_v4_25"
    options = FIVE_BLOCKS
    size = (64, 128)


@pytest.mark.slow
def test_more_golden_frames():
    for model, inputs, outputs in golden_of(MORE_CASES):
        expected, tolerance = outputs["frame"]
        np.testing.assert_allclose(model(inputs)["frame"], expected, rtol=0, atol=tolerance)


def test_4_26_is_the_network_of_4_25():
    assert registry.preset("rife_v4_26").config == registry.preset("rife_v4_25").config


def test_the_published_names_of_all_tensors():
    for preset in VERSIONS:
        spec = json.loads((GOLDEN / f"rife/{preset}.manifest.json").read_text())
        names = variable_names(unbuilt(preset).get_config())
        published = {row[0] for row in spec["manifest"] if not row[0].startswith("block_tea")}
        assert set(names) == published


def test_a_teacher_has_published_weights_too():
    config = unbuilt("rife_v4_0", teacher=True).get_config()
    more = set(variable_names(config)) - set(variable_names({**config, "teacher": False}))
    assert len(more) == 32 and all(key.startswith("block_tea.") for key in more)


def test_each_pair_of_a_batch_decides_alone_whether_scales_are_doubled():
    expected = golden_arrays("rife/outputs.npz")["v4_0_large_t500"]
    model = with_large_motion(4.5, refine=False)
    inputs = {**pair(), "time": np.float32([0.5])}
    still = {**inputs, "frame0": 0 * inputs["frame0"], "frame1": 0 * inputs["frame1"]}
    both = {key: np.concatenate([inputs[key], still[key]]) for key in inputs}
    never = with_large_motion(4.5, refine=False, doubling=None)
    together = np.asarray(model(both)["flow0"])
    np.testing.assert_allclose(model(both)["frame"][:1], expected, atol=2e-5)
    for at, alone in enumerate((inputs, still)):
        np.testing.assert_allclose(together[at], model(alone)["flow0"][0], atol=1e-3)
    assert np.abs(together[0] - np.asarray(never(inputs)["flow0"])[0]).max() > 1
    # Known flow: black frames move the second block less than that.
    np.testing.assert_allclose(together[1], never(still)["flow0"][0], atol=1e-3)


@pytest.mark.parametrize(
    ("preset", "scale", "multiple", "padded"),
    [
        ("rife_v3_8", 1, 32, 32),
        ("rife_v3_8", 0.5, 64, 64),
        ("rife_v4_0", 1, 64, 128),
        ("rife_v4_0", 0.25, 256, 512),
        ("rife_v4_0", 4, 16, 128),
        ("rife_v4_6", 1, 32, 32),
        ("rife_v4_6", 2, 16, 32),
        ("rife_v4_25", 1, 64, 64),
        ("rife_v4_25", 0.5, 128, 128),
    ],
)
def test_sides_are_padded_with_zeros_as_published(preset, scale, multiple, padded):
    model = unbuilt(preset, scale=scale)
    assert model.multiple == multiple
    frame = np.ones((1, padded - 1, padded + 1, 3), "float32")
    around = np.asarray(model.pad(frame))
    assert around.shape == (1, padded, 2 * padded, 3)
    assert around[:, :-1, : padded + 1].min() == 1
    assert np.abs(around[:, -1]).max() == np.abs(around[:, :, padded + 1 :]).max() == 0


@pytest.mark.slow
def test_scales_change_the_size_at_which_motion_is_estimated():
    frames = {f"frame{at}": texture(128, 128, 1.5 * at) for at in (0, 1)}
    found = []
    for scale in (0.5, 1, 2):
        keras.utils.set_random_seed(5)
        model = registry.build("rife_v4_6", scale=scale, **SMALL)
        found.append(np.asarray(model({**frames, "time": np.float32([0.5])})["frame"]))
    assert np.abs(found[0] - found[1]).max() > 1e-4 and np.abs(found[1] - found[2]).max() > 1e-4


def test_objective_and_its_gradients():
    expected = golden_arrays("rife/objective.npz")
    model = like_the_reference("rife_v4_0", teacher=True)
    batch = {**pair(), "time": np.float32([0.25]), "target": expected["target"]}
    with tf.GradientTape() as tape:
        total, terms = objective(model, {key: tf.constant(batch[key]) for key in batch})
    assert set(terms) == {"laplacian", "teacher", "distillation"}
    for name in terms:
        np.testing.assert_allclose(terms[name], expected[name], rtol=1e-5)
    np.testing.assert_allclose(total, expected["total"], rtol=1e-5)
    variables = named_variables(model)
    order = [variables[name] for name in variable_names(model.get_config()).values()]
    norms = [np.linalg.norm(gradient) for gradient in tape.gradient(total, order)]
    np.testing.assert_allclose(norms, expected["gradient_norms"], rtol=1e-3)


def test_without_a_teacher_the_frame_alone_is_learned():
    model = registry.build("rife_v4_25", **FIVE_BLOCKS)
    batch = {**pair(), "time": np.float32([0.25]), "target": pair()["frame0"]}
    total, terms = objective(model, batch)
    assert set(terms) == {"laplacian"} and float(total) > 0


@pytest.mark.parametrize("preset", ["rife_v3_8", "rife_v4_25"])
def test_every_version_has_a_teacher(preset):
    options = THREE_BLOCKS if preset == "rife_v3_8" else FIVE_BLOCKS
    model = registry.build(preset, teacher=True, **options)
    batch = {**pair(), "time": np.float32([0.5]), "target": pair()["frame0"]}
    with tf.GradientTape() as tape:
        total, _ = objective(model, {key: tf.constant(batch[key]) for key in batch})
    gradients = tape.gradient(total, model.trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_version_3_answers_the_middle_only():
    model = registry.build("rife_v3_8", **THREE_BLOCKS)
    inputs = {**pair(), "time": np.float32([0.25])}
    with pytest.raises(InputError, match=r"rife_v3_8 answers time 0\.5 only.*Received: \[0\.25\]"):
        model(inputs)
    with pytest.raises(InputError, match="this version answers time"):
        registry.build("rife_v3_8", times="any")


def test_pixels_are_shuffled_as_in_pytorch():
    maps = np.arange(16, dtype="float32").reshape(1, 1, 2, 8)
    shuffled = np.asarray(pixel_shuffle(keras.ops.convert_to_tensor(maps)))
    assert shuffled.shape == (1, 2, 4, 2)
    np.testing.assert_array_equal(shuffled[0, :, :, 0], [[0, 1, 8, 9], [2, 3, 10, 11]])
    np.testing.assert_array_equal(shuffled[0, :, :, 1], [[4, 5, 12, 13], [6, 7, 14, 15]])


@pytest.mark.parametrize(
    ("preset", "options", "said"),
    [
        ("rife_v4_0", {"scale": 3}, "scale is one of 0.25, 0.5, 1.0, 2.0, 4.0. Received: 3"),
        ("rife_v4_0", {"form": "x"}, "form is one of pairs, chain, scaled. Received: 'x'"),
        ("rife_v4_0", {"doubling": "no"}, "doubling is one of None, first, second. Rec.*'no'"),
        ("rife_v4_25", {"ensemble": True}, "no ensemble. Received: ensemble=True"),
    ],
)
def test_wrong_options_are_refused(preset, options, said):
    with pytest.raises(InputError, match=said):
        registry.build(preset, **options)


@pytest.mark.slow
def test_the_form_without_refinement_has_the_same_weights():
    refined = tfvfi.load("rife_v4_0", weights=None, **SMALL_REFINED)
    fast = tfvfi.load("rife_v4_0", weights=None, **SMALL_REFINED, refine=False)
    assert [each.shape for each in fast.weights] == [each.shape for each in refined.weights]
