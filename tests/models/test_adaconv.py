"""AdaConv: golden arrays, dense against one window a pixel, strips, borders, its objective."""

import json

import h5py
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
    named_variables,
    seeded,
)
from tests.pictures import texture
from tfvfi import porting, registry
from tfvfi.errors import InputError
from tfvfi.models.adaconv import network, objective
from tfvfi.models.adaconv.checkpoint import variable_names

MANIFEST = "adaconv/adaconv.manifest.json"
# What lies around the pixel of a window and is weighed by its kernels.
CENTER = slice(19, 60)


def as_frames(bgr):
    """Blue, green, red from 0 to 255 as red, green, blue from 0 to 1."""
    return np.ascontiguousarray(bgr[..., ::-1].astype("float32") / 255)


def as_published(rgb):
    return 255 * np.asarray(rgb)[..., ::-1]


@pytest.fixture(scope="module")
def arrays():
    with np.load(GOLDEN / "adaconv/adaconv.npz") as found:
        return dict(found)


@pytest.fixture(scope="module")
def windows(arrays):
    """Both frames of the published windows."""
    return as_frames(arrays["patches"][..., :3]), as_frames(arrays["patches"][..., 3:])


@pytest.fixture(scope="module")
def like_the_reference():
    return seeded("adaconv", MANIFEST)


class TestAdaConv(InterpolatorCase):
    preset = "adaconv"
    size = (8, 16)
    trained_size = (79, 79)
    half_width = 96

    def golden(self):
        with np.load(GOLDEN / "adaconv/adaconv.npz") as arrays:
            frames = [as_frames(arrays[name])[None] for name in ("frame1", "frame2", "frame_pred")]
        yield Golden(
            seeded("adaconv", MANIFEST),
            {"frame0": frames[0], "frame1": frames[1], "time": np.full(1, 0.5)},
            {"frame": (frames[2], 2e-6)},
        )


def test_windows_give_the_published_pixels(arrays, windows, like_the_reference):
    model = like_the_reference
    features, _ = model.trunk(network._as_published(*windows), dense=False)
    gathered = model.head.gather(features, spacing=1)
    np.testing.assert_allclose(gathered, arrays["feature"], atol=2e-5)
    kernels = np.asarray(model.kernels(*windows))
    np.testing.assert_allclose(kernels[:, 0, 0], arrays["kernels"], atol=3e-6)
    np.testing.assert_allclose(kernels.sum((-1, -2)), 1, atol=1e-5)
    painted = network.weigh(kernels, *(frame[:, CENTER, CENTER] for frame in windows))
    np.testing.assert_allclose(as_published(painted)[:, 0, 0], arrays["pixels"], atol=2e-3)


def test_the_published_frame_is_cut_to_whole_numbers(arrays, like_the_reference):
    pair = as_frames(arrays["frame1"]), as_frames(arrays["frame2"])
    (frame,) = like_the_reference.interpolate(*pair)
    np.testing.assert_array_equal(as_published(frame).astype("int16"), arrays["frame_pred_int16"])


def test_training_uses_and_learns_the_statistics_of_the_batch(arrays, windows):
    model = seeded("adaconv", MANIFEST)
    kernels = model.kernels(*windows, training=True)
    painted = network.weigh(kernels, *(frame[:, CENTER, CENTER] for frame in windows))
    expected = arrays["pixels_training_mode"]
    np.testing.assert_allclose(as_published(painted)[:, 0, 0], expected, atol=2e-3)
    norm = model.trunk.norms[0]
    np.testing.assert_allclose(norm.moving_mean, arrays["bn1_moving_mean_after"], rtol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, arrays["bn1_moving_variance_after"], rtol=1e-6)


@pytest.mark.parametrize("size", [(79, 80), (86, 94), (90, 81)])
def test_dense_kernels_are_those_of_every_window(like_the_reference, size):
    pair = texture(*size), texture(*size, 1.5)
    dense = np.asarray(like_the_reference.kernels(*pair))
    assert dense.shape == (1, size[0] - 78, size[1] - 78, 41, 82)
    for row in {0, size[0] - 79}:
        for column in {0, 1, size[1] - 79}:
            window = [frame[:, row : row + 79, column : column + 79] for frame in pair]
            alone = np.asarray(like_the_reference.kernels(*window))[0, 0, 0]
            np.testing.assert_allclose(dense[0, row, column], alone, atol=1e-5)


@pytest.mark.parametrize("border", network.BORDERS)
@pytest.mark.parametrize("compiled", [True, False])
def test_strips_join_without_a_seam(like_the_reference, monkeypatch, border, compiled):
    model = registry.build("adaconv", border=border)
    model.set_weights(like_the_reference.get_weights())
    pair = texture(21, 13), texture(21, 13, 1.5)
    whole = np.asarray(model.middle(*pair)["frame"])
    monkeypatch.setattr(network, "PIXELS_AT_ONCE", 8 * 13)
    middle = model.middle
    if compiled:
        middle = tf.function(middle, input_signature=[tf.TensorSpec((None, None, None, 3))] * 2)
    np.testing.assert_allclose(np.asarray(middle(*pair)["frame"]), whole, atol=1e-6)


def test_borders_darken_unless_renormalized(like_the_reference):
    model = like_the_reference
    bright = registry.build("adaconv", border="renormalize")
    bright.set_weights(model.get_weights())
    white = np.ones((12, 14, 3), "float32")
    assert model.interpolate(white, white)[0].min() < 0.5
    np.testing.assert_allclose(bright.interpolate(white, white)[0], 1, atol=1e-5)
    # What renormalization leaves out is what lies beyond the frame, and nothing inside it.
    pair = texture(12, 14), texture(12, 14, 1.5)
    padded = [np.pad(frame, ((0, 0), (39, 39), (39, 39), (0, 0))) for frame in pair]
    kernels = model.kernels(*padded)
    frames = [frame[:, 19:-19, 19:-19] for frame in padded]
    inside = np.pad(np.ones((1, 12, 14, 1), "float32"), ((0, 0), (20, 20), (20, 20), (0, 0)))
    expected = network.weigh(kernels, *frames) / network.weigh(kernels, inside, inside)
    np.testing.assert_allclose(bright.middle(*pair)["frame"], expected, atol=1e-5)


def test_the_order_of_the_published_arrays():
    manifest = json.loads((GOLDEN / MANIFEST).read_text())["manifest"]
    assert list(variable_names({})) == [row[0] for row in manifest]


def write_npz(path, arrays):
    np.savez(path, **arrays)


def write_keras_2(path, arrays):
    """The layout of `save_weights` in Keras 2, kernels as Keras has them."""
    with h5py.File(path, "w") as file:
        layers = dict.fromkeys(name.partition("/")[0] for name in arrays)
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for name, values in arrays.items():
            layer = name.partition("/")[0]
            values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values
            file[f"{layer}/{name}:0"] = values


@pytest.mark.parametrize(
    ("file", "write"),
    [("a.npz", write_npz), pytest.param("a.h5", write_keras_2, marks=pytest.mark.slow)],
)
def test_published_arrays_convert(tmp_path, like_the_reference, file, write):
    spec = json.loads((GOLDEN / MANIFEST).read_text())
    arrays = seeded_state(spec["manifest"], spec["seed"])
    # A norm that the project created and never connected.
    for variable in ("gamma", "beta", "moving_mean", "moving_variance"):
        arrays[f"batch_normalization/{variable}"] = np.ones(6, "float32")
    write(tmp_path / file, arrays)
    output = tmp_path / "adaconv.weights.h5"
    porting.convert("adaconv", tmp_path / file, output)
    model = tfvfi.load("adaconv", weights=output)
    for name, variable in named_variables(like_the_reference).items():
        np.testing.assert_array_equal(named_variables(model)[name], variable)


def test_wrong_options_are_refused():
    with pytest.raises(InputError, match=r"border is one of zeros, renormalize. Received: 'edge'"):
        registry.build("adaconv", border="edge")


def batch_of(side, count=1):
    keys = ("frame0", "target", "frame1")
    frames = {
        key: np.concatenate([texture(side, side, shift, seed) for seed in range(count)])
        for key, shift in zip(keys, (0, 1, 2), strict=True)
    }
    return {**frames, "time": np.full(count, 0.5, "float32")}


def test_the_objective_compares_colors_and_gradients(like_the_reference):
    batch = batch_of(86)
    total, terms = objective.objective(like_the_reference, batch, training=False)
    kernels = np.asarray(like_the_reference.kernels(batch["frame0"], batch["frame1"]))[0]
    color, gradient = [], []
    for row in range(8):
        for column in range(8):
            first, second = np.split(kernels[row, column], 2, axis=-1)

            def painted(down, right, first=first, second=second, row=row, column=column):
                around = (
                    slice(row + 19 + down, row + 60 + down),
                    slice(column + 19 + right, column + 60 + right),
                )
                return np.einsum("ij,ijc->c", first, batch["frame0"][0][around]) + np.einsum(
                    "ij,ijc->c", second, batch["frame1"][0][around]
                )

            def true(down, right, row=row, column=column):
                return batch["target"][0, row + 39 + down, column + 39 + right]

            color.append(np.abs(painted(0, 0) - true(0, 0)))
            gradient.append(
                sum(
                    np.abs(painted(*to) - painted(0, 0) - (true(*to) - true(0, 0)))
                    for to in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
                )
            )
    np.testing.assert_allclose(terms["color"], np.mean(color), rtol=1e-4)
    np.testing.assert_allclose(terms["gradient"], np.mean(gradient), rtol=1e-4)
    np.testing.assert_allclose(total, np.mean(color) + np.mean(gradient), rtol=1e-4)


def test_a_window_and_a_dense_crop_are_trained_alike(like_the_reference):
    alone, _ = objective.objective(like_the_reference, batch_of(79), training=False)
    crop = batch_of(86)
    losses = [
        objective.objective(
            like_the_reference,
            {
                key: frame[:, row : row + 79, column : column + 79]
                for key, frame in crop.items()
                if key != "time"
            },
            training=False,
        )[0]
        for row in range(8)
        for column in range(8)
    ]
    dense, _ = objective.objective(like_the_reference, crop, training=False)
    np.testing.assert_allclose(np.mean(losses), dense, rtol=1e-4)
    assert float(alone) > 0


@pytest.mark.parametrize("side", [78, 80, 100])
def test_crops_that_would_spoil_the_statistics_are_refused(like_the_reference, side):
    with pytest.raises(InputError, match=rf"crops of 79 .*86, 94, .* Received: \({side}, {side}\)"):
        objective.objective(like_the_reference, batch_of(side))


# One step is fast in every network's own class.
@pytest.mark.slow
@pytest.mark.parametrize("side", [79, 86])
def test_a_few_steps_lower_the_loss(side):
    model = TestAdaConv.build()
    batch = batch_of(side, count=2)
    optimizer = keras.optimizers.Adamax(1e-3)
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            total, _ = objective.objective(model, batch)
        optimizer.apply(tape.gradient(total, model.trainable_variables), model.trainable_variables)
        losses.append(float(total))
    assert losses[-1] < losses[0]
