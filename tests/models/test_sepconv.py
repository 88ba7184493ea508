"""SepConv: golden arrays, both paddings, strips, conversion, the middle time, its objectives."""

import json

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
from tfvfi import porting, registry, weights
from tfvfi.errors import InputError
from tfvfi.models.objectives import features_of_vgg19
from tfvfi.models.sepconv import network, objective
from tfvfi.models.sepconv.checkpoint import rename, variable_names
from tfvfi.ops.dispatch import inference

MANIFEST = "sepconv/sepconv.manifest.json"


def manifest():
    return json.loads((GOLDEN / MANIFEST).read_text())


@pytest.fixture(scope="module")
def arrays():
    """The reference arrays, frames turned from blue, green, red to red, green, blue."""
    found = golden_arrays("sepconv/sepconv.npz")
    return {
        name: np.ascontiguousarray(array[..., ::-1]) if array.shape[-1] == 3 else array
        for name, array in found.items()
    }


@pytest.fixture(scope="module")
def like_the_reference():
    return seeded("sepconv", MANIFEST)


class TestSepConv(InterpolatorCase):
    preset = "sepconv"
    size = (32, 64)

    @pytest.fixture(scope="class")
    @classmethod
    def cases(cls, arrays, like_the_reference):
        inputs = {"frame0": arrays["a_one"], "frame1": arrays["a_two"], "time": np.full(1, 0.5)}
        return [Golden(like_the_reference, inputs, {"frame": (arrays["a_direct"], 3e-5)})]


@pytest.fixture(scope="module", params=["improved", "paper"])
def padded(request):
    return seeded("sepconv", MANIFEST, padding=request.param)


@pytest.mark.parametrize("case", ["a", "b"])
def test_published_paddings(arrays, padded, case):
    model, padding = padded, padded.get_config()["padding"]
    one, two = arrays[f"{case}_one"], arrays[f"{case}_two"]
    height, width = one.shape[1:3]
    whole = model._prepare(model.pad(one), model.pad(two))["frame"]
    top, _, left, _ = model.padding(height, width)
    found = np.asarray(whole)[:, top : top + height, left : left + width]
    expected = arrays[f"{case}_out" if padding == "improved" else f"{case}_out_paper"]
    np.testing.assert_allclose(found, expected, atol=5e-5)
    (frame,) = model.interpolate(one[0], two[0])
    np.testing.assert_allclose(frame, np.clip(expected[0], 0, 1), atol=5e-5)


@pytest.mark.parametrize(
    ("padding", "size", "expected"),
    [
        ("improved", (128, 256), (0, 0, 0, 0)),
        ("improved", (1080, 1920), (0, 72, 0, 0)),
        ("paper", (78, 79), (25, 25, 25, 25 + 127)),
        ("paper", (1, 128), (25, 25 + 77, 25, 25 + 78)),
    ],
)
def test_how_much_is_padded(padding, size, expected):
    assert registry.build("sepconv", padding=padding).padding(*size) == expected


def test_what_comes_before_the_frame(arrays, like_the_reference):
    model = like_the_reference
    pair = np.concatenate([arrays["a_one"][..., ::-1], arrays["a_two"][..., ::-1]], axis=-1)
    levels, features = [], pair
    for level in model.encoder:
        levels.append(np.asarray(level(features)))
        features = tf.nn.avg_pool2d(levels[-1], 2, 2, "VALID")
    np.testing.assert_allclose(levels[0][:, ::8, ::8], arrays["a_direct_conv1_s8"], atol=1e-5)
    np.testing.assert_allclose(levels[4], arrays["a_direct_conv5"], atol=3e-5)
    combined = model.features(pair)
    found = np.asarray(combined)[:, ::8, ::8]
    np.testing.assert_allclose(found, arrays["a_direct_combine_s8"], atol=3e-5)
    for name, head in model.heads.items():
        taps = np.asarray(head.taps(head(combined), 0, pair.shape[1]))
        published = f"{name[:3]}{int(name[-1]) + 1}"
        expected = arrays[f"a_direct_{published}_s8"]
        np.testing.assert_allclose(taps[:, ::8, ::8], expected, atol=1e-5)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    "rows", [pytest.param(1, marks=pytest.mark.slow), 5, pytest.param(7, marks=pytest.mark.slow)]
)
def test_strips_join_without_a_seam(arrays, like_the_reference, monkeypatch, rows, compiled):
    pair = arrays["a_one"][:, :32], arrays["a_two"][:, :32]
    middle = like_the_reference.middle
    with inference():
        whole = np.asarray(middle(*pair)["frame"])
        monkeypatch.setattr(network, "PIXELS_AT_ONCE", rows * pair[0].shape[2])
        if compiled:
            signature = [tf.TensorSpec((None, None, None, 3))] * 2
            middle = tf.function(middle, input_signature=signature)
        np.testing.assert_allclose(np.asarray(middle(*pair)["frame"]), whole, atol=1e-6)


def test_the_order_and_the_spellings_of_the_published_tensors():
    names = variable_names(registry.preset("sepconv").config)
    assert list(names) == [row[0] for row in manifest()["manifest"]]
    assert rename("netVertical1.7.bias") == "moduleVertical1.7.bias"
    assert all(rename(key) == key for key in names)


@pytest.mark.parametrize(
    "file", ["network-lf.pytorch", pytest.param("network-l1.pytorch", marks=pytest.mark.slow)]
)
def test_published_files_convert(tmp_path, file, like_the_reference):
    spec = manifest()
    with open(tmp_path / file, "wb") as published:
        np.savez(published, **seeded_state(spec["manifest"], spec["seed"]))
    output = tmp_path / "sepconv.weights.h5"
    porting.convert("sepconv", tmp_path / file, output)
    about = weights.describe(output)
    assert about["times"] == [0.5]
    assert about["licence"] == "strictly for academic purposes"
    model = tfvfi.load("sepconv", weights=output)
    for name, variable in named_variables(like_the_reference).items():
        np.testing.assert_array_equal(named_variables(model)[name], variable)


def test_other_times_are_middles_of_middles(like_the_reference):
    model = like_the_reference
    a, b = texture(32, 48)[0], texture(32, 48, 1.5)[0]
    quarter, middle, last = model.interpolate(a, b, times=(0.25, 0.5, 0.875))
    # Middles are not clipped before they are halved again.
    (unclipped,) = model._between(a, b, [0.5])
    np.testing.assert_allclose(middle, np.clip(unclipped, 0, 1))
    np.testing.assert_allclose(quarter, model.interpolate(a, unclipped)[0], atol=1e-5)
    (later,) = model._between(unclipped, b, [0.5])
    np.testing.assert_allclose(last, model.interpolate(later, b)[0], atol=1e-5)
    with pytest.raises(InputError, match=r"sepconv answer time 0\.5 only.*received 0\.333"):
        model.interpolate(a, b, times=(1 / 3,))
    frames = {"frame0": texture(32, 64), "frame1": texture(32, 64, 1.5)}
    with pytest.raises(InputError, match=r"sepconv answers time 0\.5 only.*Received: \[0\.25\]"):
        model({**frames, "time": np.array([0.25], "float32")})


def test_wrong_options_are_refused():
    with pytest.raises(InputError, match=r"padding is one of improved, paper. Received: 'mirror'"):
        registry.build("sepconv", padding="mirror")
    with pytest.raises(InputError, match=r"time 0\.5 only. Received: times=\(0\.25,\)"):
        registry.build("sepconv", times=(0.25,))


def batch_of(case):
    keys = ("frame0", "target", "frame1")
    frames = {
        key: texture(64, 64, shift, seed=3) for key, shift in zip(keys, (0, 1, 2), strict=True)
    }
    return {**frames, "time": np.full(1, 0.5, "float32")}


def test_l1_is_the_mean_absolute_difference():
    model = TestSepConv.build()
    batch = batch_of("l1")
    total, terms = objective.l1(model, batch)
    frame = np.asarray(model({key: batch[key] for key in model.input_names})["frame"])
    np.testing.assert_allclose(total, np.abs(frame - batch["target"]).mean(), rtol=1e-6)
    assert set(terms) == {"l1"}


def vgg19():
    """Random weights of VGG-19 by torchvision's names, as far as relu4_4."""
    draw = np.random.default_rng(2)
    places = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25)
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512)
    found = {}
    for place, before, after in zip(places, widths, widths[1:], strict=False):
        scale = np.sqrt(2 / (9 * before))
        kernel = scale * draw.standard_normal((after, before, 3, 3), "float32")
        found[f"features.{place}.weight"] = kernel.astype("float32")
        found[f"features.{place}.bias"] = np.zeros(after, "float32")
    return found


def test_the_perceptual_objective_compares_rectified_features_of_vgg19():
    arrays = vgg19()
    loss = features_of_vgg19(perceptual_weights=arrays)
    batch = batch_of("lf")

    class Echo:
        """Gives back its first frame."""

        input_names = ("frame0", "frame1", "time")

        def __call__(self, inputs, training):
            return {"frame": inputs["frame0"]}

    def features(image):
        feature = (image - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
        for place in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25):
            if place in (5, 10, 19):
                feature = tf.nn.max_pool2d(feature, 2, 2, "VALID")
            kernel = arrays[f"features.{place}.weight"].transpose(2, 3, 1, 0)
            feature = tf.nn.relu(tf.nn.conv2d(tf.cast(feature, "float32"), kernel, 1, "SAME"))
        return np.asarray(feature)

    total, terms = loss(Echo(), batch)
    expected = np.mean((features(batch["frame0"]) - features(batch["target"])) ** 2)
    assert expected > 0
    np.testing.assert_allclose(total, expected, rtol=1e-4)
    assert set(terms) == {"perceptual"}
    assert float(loss(Echo(), {**batch, "target": batch["frame0"]})[0]) == 0


# One step is fast in every network's own class.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["l1", "perceptual"])
def test_a_few_steps_lower_the_loss(name):
    import keras

    model = TestSepConv.build()
    chosen = objective.l1 if name == "l1" else features_of_vgg19(vgg19())
    batch = batch_of(name)
    optimizer = keras.optimizers.Adamax(1e-3)
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            total, _ = chosen(model, batch)
        optimizer.apply(tape.gradient(total, model.trainable_variables), model.trainable_variables)
        losses.append(float(total))
    assert losses[-1] < losses[0]
