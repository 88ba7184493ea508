"""Super SloMo: golden arrays of both forms, their objective, samplers, sizes, published files."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf

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
from tfvfi.models.superslomo.checkpoint import variable_names
from tfvfi.models.superslomo.objective import supervised
from tfvfi.porting import port, recognize, rules_of

FILES = {"superslomo": "nvidia_superslomo", "superslomo_paliwal": "paliwal_superslomo"}
# Frames, the true one among them, and the refined flows, as the published code calls them.
FRAMES = {"superslomo": ("im0", "im1", "gt"), "superslomo_paliwal": ("frame0", "frame1", "truth")}
# An image may differ by 1e-2 of 255.
FRAME, FLOW, SHARE = 1e-2 / 255, 2e-4, 1e-4
THIN = {"widths": (6, 8, 10, 12, 14, 16)}


@functools.cache
def like_the_reference(preset, **options):
    return seeded(preset, f"superslomo/{FILES[preset]}.manifest.json", **options)


def reference(preset):
    return golden_arrays(f"superslomo/{FILES[preset]}.npz")


def batch_of(arrays, preset, case, time):
    """A case's frames in [0, 1], repeated for as many times, and the times."""
    repeats = len(time) // len(arrays[f"{case}_{FRAMES[preset][0]}"])
    frames = [np.repeat(arrays[f"{case}_{name}"] / 255, repeats, 0) for name in FRAMES[preset]]
    return dict(zip(("frame0", "frame1", "target"), frames, strict=True)) | {"time": time}


class SuperSloMoCase(InterpolatorCase):
    size = (32, 64)
    options = THIN
    # What ends in flow is not rounded.
    exact = ("forward", "backward", "visibility", "last")


class TestSuperSloMo(SuperSloMoCase):
    preset = "superslomo"

    def golden(self):
        arrays = reference(self.preset)
        model = like_the_reference(self.preset)
        color = arrays["const_mean_pix"] / 255
        several = batch_of(arrays, self.preset, "a", arrays["a_t"])
        yield Golden(model, several, {"frame": (arrays["a_out"] / 255, FRAME)})
        middle = {
            "flow01": (arrays["a_F01"], FLOW),
            "flow10": (arrays["a_F10"], FLOW),
            "visibility": (arrays["a_t4_vis"], SHARE),
        }
        for end in (0, 1):
            middle[f"flow{end}"] = arrays[f"a_t4_Ft{end}"], FLOW
            middle[f"raw_flow{end}"] = arrays[f"a_t4_Ft{end}_raw"], FLOW
            middle[f"warped{end}"] = arrays[f"a_t4_warp{end}"] / 255 + color, FRAME
        yield Golden(model, batch_of(arrays, self.preset, "a", np.array([0.5])), middle)

        halved = {
            "frame": (arrays["s2_out"] / 255, FRAME),
            "flow01": (arrays["s2_F01"], FLOW),
            "flow10": (arrays["s2_F10"], FLOW),
            "flow0": (arrays["s2_t3_Ft0"], FLOW),
            "flow1": (arrays["s2_t3_Ft1"], FLOW),
            "visibility": (arrays["s2_t3_vis"], SHARE),
        }
        yield Golden(
            like_the_reference(self.preset, flow_scale=2),
            batch_of(arrays, self.preset, "s2", arrays["s2_t"]),
            halved,
        )
        yield from golden_of_paliwal()


def golden_of_paliwal():
    """The golden arrays of the other form."""
    preset = "superslomo_paliwal"
    arrays = reference(preset)
    model = like_the_reference(preset)
    several = batch_of(arrays, preset, "a", arrays["a_t"])
    yield Golden(model, several, {"frame": (arrays["a_Ft_p"] + arrays["mean"], FRAME)})
    middle = {
        "flow01": (arrays["a_F_0_1"], FLOW),
        "flow10": (arrays["a_F_1_0"], FLOW),
        "visibility": (arrays["a_V_t_0"], SHARE),
    }
    for end in (0, 1):
        middle[f"flow{end}"] = arrays[f"a_F_t_{end}_f"], FLOW
        middle[f"raw_flow{end}"] = arrays[f"a_F_t_{end}"], FLOW
    yield Golden(model, batch_of(arrays, preset, "a", np.array([0.5])), middle)


@pytest.mark.slow
class TestSuperSloMoPaliwal(SuperSloMoCase):
    """The other form, whose golden arrays `TestSuperSloMo` has."""

    preset = "superslomo_paliwal"

    def golden(self):
        return iter(())


def vgg16():
    spec = json.loads((GOLDEN / "superslomo/vgg16.manifest.json").read_text())
    return seeded_state(spec["manifest"], spec["seed"])


# The published terms are means for brightness from 0 to 255, or to 1, before they are weighted.
PUBLISHED = {
    "superslomo": {"pixel": 0.8, "perceptual": 0.005, "warping": 0.4, "smoothness": 1},
    "superslomo_paliwal": {"pixel": 204, "warping": 102, "perceptual": 0.005, "smoothness": 1},
}


def published_losses(preset, total, terms):
    weights = PUBLISHED[preset]
    assert set(terms) == set(weights)
    return [*(float(terms[name]) / weight for name, weight in weights.items()), float(total)]


@pytest.mark.parametrize("preset", FILES)
def test_objective_and_its_gradients(preset):
    arrays = reference(preset)
    model = like_the_reference(preset)
    objective = supervised(vgg16())
    for time, expected in zip(arrays["a_t"], arrays["a_losses"], strict=True):
        batch = batch_of(arrays, preset, "a", np.array([time]))
        found = published_losses(preset, *objective(model, batch, training=False))
        np.testing.assert_allclose(found, expected, rtol=4e-6)

    time = arrays["b_tindex"] / 8 if preset == "superslomo" else (arrays["b_index"] + 1) / 8
    batch = batch_of(arrays, preset, "b", time.astype("float32"))
    with tf.GradientTape() as tape:
        total, terms = objective(model, {key: tf.constant(batch[key]) for key in batch})
    found = published_losses(preset, total, terms)
    np.testing.assert_allclose(found, arrays["b_losses"], rtol=2e-6)
    variables = named_variables(model)
    names = variable_names(model.get_config())
    gradients = dict(
        zip(names, tape.gradient(total, [variables[name] for name in names.values()]), strict=True)
    )
    norms = [np.linalg.norm(gradient) for gradient in gradients.values()]
    np.testing.assert_allclose(norms, arrays["b_grad_l2"], rtol=2e-3)
    if preset == "superslomo":
        # Kernels are (height, width, in, out) here and were (out, in, height, width) there.
        found = np.asarray(gradients["forward_flow_conv.weight"])[0, 0].T
        expected = arrays["b_grad_forward_flow_conv"].reshape(found.shape)
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_without_weights_of_vgg_there_is_no_perceptual_term():
    model = registry.build("superslomo", **THIN)
    frames = [texture(32, 64, shift) for shift in (0.0, 0.7, 1.5)]
    names = ("frame0", "target", "frame1")
    batch = dict(zip(names, frames, strict=True)) | {"time": np.array([0.5])}
    total, terms = supervised()(model, batch)
    assert set(terms) == {"pixel", "warping", "smoothness"}
    np.testing.assert_allclose(total, sum(map(float, terms.values())), rtol=1e-6)


@pytest.mark.parametrize("preset", FILES)
def test_the_sampler_is_the_published_one(preset):
    """The first pixel outside a frame is half the mean color, half the frame."""
    arrays = reference(preset)
    model = registry.build(preset, **THIN)
    padded = np.pad(arrays["w_im"], [(0, 0)] * 3 + [(0, 1)])
    warped = model.warp(padded + np.array(model.mean, "float32"), arrays["w_flow"])
    found = np.asarray(warped)[..., :2] - np.array(model.mean[:2])
    np.testing.assert_allclose(found, arrays["w_out"], atol=5e-5 * np.abs(arrays["w_im"]).max())


def test_frames_are_padded_as_published():
    arrays = reference("superslomo")
    model = like_the_reference("superslomo")
    assert model.padding(50, 70) == (0, 14, 0, 58)
    frames = [arrays[f"p_{name}"][0] / 255 for name in ("im0", "im1")]
    (middle,) = model.interpolate(*frames, times=(0.5,))
    np.testing.assert_allclose(middle, np.clip(arrays["p_out"][0] / 255, 0, 1), atol=FRAME)
    white = np.ones((1, 50, 70, 3), "float32")
    assert np.asarray(model.pad(white))[0, 50:].max() == 0

    assert registry.build("superslomo", flow_scale=3.0, **THIN).padding(50, 70) == (0, 142, 0, 122)
    paliwal = registry.build("superslomo_paliwal", **THIN)
    assert paliwal.padding(50, 70) == (0, 14, 0, 26)
    assert np.asarray(paliwal.pad(white)).min() == 1


def test_files_that_hold_a_teacher_and_constants():
    spec = json.loads((GOLDEN / "cycle/cycle.manifest.json").read_text())
    state = seeded_state(spec["manifest"], spec["seed"])
    assert any(key.startswith("teacher.") for key in state)
    state |= {key: np.zeros((1, 3, 1, 1)) for key in ("mean_pix", "teacher.mean_pix")}
    state["vgg16_features.0.weight"] = np.zeros((64, 3, 3, 3))
    model = registry.build("superslomo")
    port(state, model, rules_of("superslomo"))
    kernel = named_variables(model)["flow/encoder1/conv1/kernel"]
    expected = state["flow_pred_encoder_layer1.0.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(kernel, expected)


@pytest.mark.parametrize("preset", FILES)
def test_published_names_belong_to_their_form(preset):
    spec = json.loads((GOLDEN / f"superslomo/{FILES[preset]}.manifest.json").read_text())
    assert list(variable_names(registry.preset(preset).config)) == [
        row[0] for row in spec["manifest"]
    ]
    assert recognize(seeded_state(spec["manifest"], spec["seed"])) == preset


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"form": "adobe"}, "form is one of nvidia, paliwal. Received: 'adobe'"),
        ({"flow_scale": 0}, "flow_scale is a whole number from 1. Received: 0"),
        ({"flow_scale": 1.5}, "Received: 1.5"),
        ({"grid": "corners"}, "grid is one of pixel, .*Received: 'corners'"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        registry.build("superslomo", **options)
