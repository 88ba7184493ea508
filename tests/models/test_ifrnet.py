"""IFRNet: golden arrays of all sizes, its objective, the times its weights answer, its borders."""

import json

import numpy as np
import pytest
import tensorflow as tf

import tfvfi
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
from tfvfi.models.ifrnet.checkpoint import variable_names
from tfvfi.models.ifrnet.objective import guidance, guided, objective

SIZES = {"ifrnet_s": "IFRNet_S", "ifrnet": "IFRNet", "ifrnet_l": "IFRNet_L"}
# One flow of ifrnet_l ends 1e-5 px beside a whole pixel, where the gradient of a warp jumps: which
# side it falls on depends on the order in which a convolution adds up.
GRADIENT_TOLERANCE = {"ifrnet_s": 2e-4, "ifrnet": 2e-4, "ifrnet_l": 1e-3}


def like_the_reference(preset, **options):
    return seeded(preset, f"ifrnet/{SIZES[preset]}.manifest.json", **options)


class TestIFRNet(InterpolatorCase):
    preset = "ifrnet_s"
    half_psnr = 65.0

    def golden(self):
        inputs = golden_arrays("ifrnet/inputs.npz")
        for preset, published in SIZES.items():
            expected = golden_arrays(f"ifrnet/{published}.npz")
            model = like_the_reference(preset)
            pair = {"frame0": inputs["img0"], "frame1": inputs["img1"]}
            outputs = {
                "frame": (expected["imgt_pred_t500"], 2e-5),
                "flow0": (expected["up_flow0_1_t500"], 5e-5),
                "flow1": (expected["up_flow1_1_t500"], 5e-5),
                "mean": (expected["mean"], 1e-6),
            }
            for level in (2, 3, 4):
                flows = [expected[f"up_flow{i}_{level}_t500"] for i in (0, 1)]
                outputs[f"flow_levels/{level - 2}"] = (np.concatenate(flows, -1), 5e-5)
            if "mask_t500" in expected:
                outputs["mask"] = (expected["mask_t500"], 1e-5)
                outputs["residual"] = (expected["res_t500"], 1e-5)
            yield Golden(model, {**pair, "time": np.full(2, 0.5)}, outputs)
            quarter = {"frame": (expected["imgt_pred_t250"], 2e-5)}
            yield Golden(model, {**pair, "time": np.full(2, 0.25)}, quarter)
            for scale, name in ((0.5, "scale050"), (0.8, "scale080")):
                if f"imgt_pred_{name}" not in expected:
                    continue
                yield Golden(
                    like_the_reference(preset, scale=scale),
                    {
                        "frame0": inputs[f"{name}_img0"],
                        "frame1": inputs[f"{name}_img1"],
                        "time": np.full(1, 0.5),
                    },
                    {"frame": (expected[f"imgt_pred_{name}"], 2e-5)},
                )

    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_half_precision_keeps_coordinates(self, model, policy, monkeypatch):
        super().test_half_precision_keeps_coordinates(model, policy, monkeypatch)

    def test_a_portable_graph_has_stock_operations_and_equals_native(self, model):
        super().test_a_portable_graph_has_stock_operations_and_equals_native(model)

    def test_a_preset_folder_gives_the_same_network(self, model, tmp_path):
        super().test_a_preset_folder_gives_the_same_network(model, tmp_path)


@pytest.mark.parametrize("preset", SIZES)
def test_objective_and_its_gradients(preset):
    inputs = golden_arrays("ifrnet/inputs.npz")
    expected = golden_arrays(f"ifrnet/{SIZES[preset]}.npz")
    model = like_the_reference(preset)
    batch = {
        "frame0": inputs["img0"],
        "frame1": inputs["img1"],
        "time": np.full(2, 0.5, "float32"),
        "target": inputs["imgt"],
        "flow": inputs["flow"],
    }
    with tf.GradientTape() as tape:
        total, terms = objective(model, {key: tf.constant(batch[key]) for key in batch})
    names = {
        "charbonnier": "loss_charbonnier",
        "census": "loss_ternary",
        "geometry": "loss_geo",
        "distillation": "loss_dis",
    }
    assert set(terms) == set(names)
    for name, published in names.items():
        np.testing.assert_allclose(terms[name], expected[f"train_{published}"], rtol=1e-6)
    np.testing.assert_allclose(total, expected["train_loss_total"], rtol=1e-6)

    variables = named_variables(model)
    order = [variables[name] for name in variable_names(model.get_config()).values()]
    gradients = tape.gradient(total, order)
    tolerance = GRADIENT_TOLERANCE[preset]
    norms = [np.linalg.norm(gradient) for gradient in gradients]
    np.testing.assert_allclose(norms, expected["train_grad_norms"], rtol=tolerance)
    # Kernels are (height, width, in, out) here and were (out, in, height, width) there.
    first = np.asarray(gradients[0]).transpose(3, 0, 1, 2)
    wanted = expected["train_grad_first_conv"]
    np.testing.assert_allclose(first, wanted, atol=1e-3 * np.abs(wanted).max())
    wanted = expected["train_grad_last_bias"]
    np.testing.assert_allclose(gradients[-1], wanted, atol=1e-3 * np.abs(wanted).max())

    del batch["flow"]
    total, terms = objective(model, batch)
    assert "distillation" not in terms
    np.testing.assert_allclose(total, expected["train_noflow_loss_total"], rtol=1e-6)


def test_guidance_is_the_endpoint_errors_of_every_scale():
    model = tfvfi.load("ifrnet_s", weights=None)
    frame = np.zeros((1, 32, 48, 3), "float32")
    flow = np.broadcast_to(np.float32([3, 4, 0, -1]), (1, 32, 48, 4))
    batch = {
        "frame0": frame,
        "frame1": frame,
        "target": frame,
        "time": np.float32([0.5]),
    }
    outputs = {
        "flow0": np.zeros((1, 32, 48, 2), "float32"),
        "flow1": np.broadcast_to(np.float32([0, -1]), (1, 32, 48, 2)),
        # Half the size, so 2 pixels there are 4 here; right in both directions.
        "flow_levels": [np.broadcast_to(np.float32([1.5, 2, 0, -0.5]), (1, 16, 24, 4))],
    }
    assert float(guidance(outputs, flow)) == pytest.approx(5, abs=1e-4)
    _, terms = guided(model, {**batch, "flow": flow})
    assert set(terms) == {"charbonnier", "census", "geometry", "guidance"}
    with pytest.raises(InputError, match="learns from flow, which these records lack"):
        guided(model, batch)


def test_the_order_of_the_published_tensors():
    for preset, published in SIZES.items():
        spec = json.loads((GOLDEN / f"ifrnet/{published}.manifest.json").read_text())
        names = variable_names(registry.preset(preset).config)
        assert list(names) == [row[0] for row in spec["manifest"]]


def test_weights_that_ignore_the_time_answer_the_middle_only():
    model = like_the_reference("ifrnet_s")
    assert model.measure_times() == "any"
    kernel = named_variables(model)["decoder4/conv/kernel"]
    values = np.array(kernel)
    values[:, :, -1] = 0
    kernel.assign(values)
    assert model.measure_times() == (0.5,)

    a, b = texture(32, 48)[0], texture(32, 48, 1.5)[0]
    (middle,) = model.interpolate(a, b, times=(0.5,))
    (quarter,) = model.interpolate(a, b, times=(0.25,))
    np.testing.assert_allclose(quarter, model.interpolate(a, middle)[0], atol=1e-6)
    with pytest.raises(InputError, match=r"ifrnet_s answer time 0\.5 only.*received 0\.333"):
        model.interpolate(a, b, times=(1 / 3,))


@pytest.mark.parametrize(
    ("scale", "multiple"), [(1, 16), (0.8, 20), (0.5, 32), (0.25, 64), (0.75, 64), (2, 8)]
)
def test_sides_divide_so_that_the_coarsest_level_is_whole(scale, multiple):
    model = registry.build("ifrnet_s", scale=scale)
    assert model.multiple == multiple
    side = multiple if multiple * scale >= 32 else 2 * multiple
    frame = np.zeros((1, side, side, 3), "float32")
    out = model({"frame0": frame, "frame1": frame, "time": np.array([0.5])})
    assert out["frame"].shape == (1, side, side, 3)
    assert out["flow_levels"][2].shape == (1, int(side * scale) // 8, int(side * scale) // 8, 4)


def test_published_borders():
    frame = np.arange(1, 16, dtype="float32").reshape(1, 3, 5, 1).repeat(3, axis=-1)
    around = np.asarray(tfvfi.load("ifrnet_s", weights=None).pad(frame))[0, :, :, 0]
    assert around.shape == (16, 16)
    # 13 rows more, 6 of them above; 11 columns more, 5 of them on the left.
    np.testing.assert_array_equal(around, np.pad(frame[0, :, :, 0], ((6, 7), (5, 6)), mode="edge"))
    zeros = tfvfi.load("ifrnet_s", weights=None, border="zeros").pad(frame)
    expected = np.pad(frame[0, :, :, 0], ((0, 13), (0, 11)))
    np.testing.assert_array_equal(np.asarray(zeros)[0, :, :, 0], expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": 0}, "scale lies above 0.*Received: 0"),
        ({"scale": 9}, "Received: 9"),
        ({"border": "mirror"}, "border is one of replicate, zeros. Received: 'mirror'"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        registry.build("ifrnet_s", **options)
