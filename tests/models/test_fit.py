"""`compile`, `fit`, `evaluate` and `predict`: what they take, what they compute, what they keep."""

import keras
import numpy as np
import pytest

import tfvfi
from tests.models import mix
from tfvfi import metrics, registry
from tfvfi.errors import InputError
from tfvfi.models.fitting import ObjectiveLoss
from tfvfi.models.optimizers import recommended

mix.register()
SIZE = 16


@pytest.fixture
def batch():
    """Four examples, as `tfvfi.data.load` gives them."""
    frames = np.random.default_rng(0).uniform(size=(3, 4, SIZE, SIZE, 3)).astype("float32")
    found = dict(zip(("frame0", "frame1", "target"), frames, strict=True))
    return found | {"time": np.full(4, 0.5, "float32"), "flow": np.ones((4, SIZE, SIZE, 4), "f4")}


@pytest.fixture
def model():
    return tfvfi.load("mix", weights=None)


def split(batch):
    """Inputs and the true frame apart, as NumPy users have them."""
    return {name: batch[name] for name in ("frame0", "frame1", "time")}, batch["target"]


def by_hand(model, batch):
    first, second, brightness = np.asarray(model.shares)
    return first * batch["frame0"] + second * batch["frame1"] + brightness


def test_auto_is_the_objective_the_optimizer_and_the_metrics_of_the_network(model, batch):
    expected = by_hand(model, batch)
    model.compile()
    assert isinstance(model.optimizer, keras.optimizers.AdamW)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    found = model.evaluate(batch, batch_size=2, return_dict=True, verbose=0)
    assert set(found) == {"loss", "l1", "psnr", "ssim"}
    loss = np.abs(expected - batch["target"]).mean()
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    assert found["l1"] == pytest.approx(loss, rel=1e-5)
    psnr = metrics.PSNR()
    psnr.update_state(batch["target"], expected)
    assert found["psnr"] == pytest.approx(float(psnr.result()), rel=1e-5)


def test_a_preset_names_optimizer_and_rate():
    model = tfvfi.load("mix_quick", weights=None)
    model.compile()
    assert isinstance(model.optimizer, keras.optimizers.SGD) and model.optimizer.momentum == 0.5
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    changing = recommended(registry.preset("ifrnet_s"), steps=100)
    changing.build([])
    assert float(changing.learning_rate) == pytest.approx(1e-4)
    assert changing.get_config()["learning_rate"]["registered_name"] == "tfvfi>LearningRate"


@pytest.mark.parametrize("apart", [False, True])
def test_the_truth_comes_in_the_batch_or_apart(model, batch, apart):
    data = split(batch) if apart else (batch,)
    model.compile(recommended(registry.preset("mix_quick")), metrics=None)
    before = np.asarray(model.shares)
    history = model.fit(*data, batch_size=4, epochs=3, verbose=0).history
    assert set(history) == {"loss", "l1"}
    assert history["loss"][-1] < history["loss"][0]
    assert np.abs(np.asarray(model.shares) - before).max() > 0.01


def test_the_forward_pass_is_not_repeated(model, batch):
    model.compile(metrics=None, run_eagerly=True)
    calls = model.calls
    model.fit(batch, batch_size=4, verbose=0)
    assert model.calls == calls + 1


@pytest.mark.parametrize(
    ("loss", "measured"),
    [
        ("mae", ["mse"]),
        (keras.losses.MeanAbsoluteError(), [keras.metrics.MeanSquaredError(name="mse")]),
        ({"frame": "mae"}, {"frame": ["mse"]}),
    ],
)
def test_losses_and_metrics_of_keras_compare_frames(model, batch, loss, measured):
    model.compile("sgd", loss, metrics=measured)
    gap = by_hand(model, batch) - batch["target"]
    for data in ((batch,), split(batch)):
        found = model.evaluate(*data, return_dict=True, verbose=0)
        assert found["loss"] == pytest.approx(np.abs(gap).mean(), rel=1e-5)
        (mse,) = (value for name, value in found.items() if name.endswith("mse"))
        assert mse == pytest.approx(np.square(gap).mean(), rel=1e-5)


def test_losses_by_output_see_the_true_flow(model, batch):
    model.compile("sgd", {"frame": "mae", "flow1": "mae"}, metrics=None)
    found = model.evaluate(batch, return_dict=True, verbose=0)
    frame = np.abs(by_hand(model, batch) - batch["target"]).mean()
    # Every flow is one pixel, the network's own second one minus one.
    assert found["loss"] == pytest.approx(frame + 2, rel=1e-5)


def test_another_objective_by_name_and_with_options(model, batch):
    model.compile("sgd", "laplacian", metrics=None)
    assert set(model.evaluate(batch, return_dict=True, verbose=0)) == {"loss", "laplacian"}
    with pytest.raises(InputError, match=r"'perceptual' needs .*perceptual_weights"):
        model.compile("sgd", "perceptual")
    with pytest.raises(InputError, match="there is no objective 'charbonier' for mix"):
        model.compile("sgd", ObjectiveLoss("charbonier"))
    with pytest.raises(InputError, match="loss_weights are for losses of Keras's"):
        model.compile(loss_weights=[1.0])


def test_what_is_missing_is_named(model, batch):
    inputs, _ = split(batch)
    model.compile("sgd", "mae", run_eagerly=True)
    with pytest.raises(InputError, match=r"^the loss needs the true frame: 'target' in the batch"):
        model.fit(inputs, verbose=0)
    model.compile("sgd", {"mask": "mae"}, run_eagerly=True)
    with pytest.raises(InputError, match="'mask', which the network's outputs lacks"):
        model.fit(batch, verbose=0)
    model.compile("sgd", {"flow0": "mae"}, metrics=None, run_eagerly=True)
    with pytest.raises(InputError, match="'flow0', which the batch lacks"):
        model.fit(*split(batch), verbose=0)


def test_predictions_need_no_compiling(model, batch):
    found = model.predict(batch, batch_size=2, verbose=0)
    assert sorted(found) == ["flow0", "flow1", "frame"]
    np.testing.assert_allclose(found["frame"], by_hand(model, batch), atol=1e-6)


@pytest.mark.parametrize("loss", ["auto", "mae", pytest.param("laplacian", marks=pytest.mark.slow)])
def test_a_saved_model_resumes_its_training(batch, loss, tmp_path):
    whole, first = (tfvfi.load("mix_quick", weights=None) for _ in range(2))
    for model, epochs in ((whole, 4), (first, 2)):
        model.compile(loss=loss)
        model.fit(batch, batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    first.save(tmp_path / "half.keras")
    resumed = keras.saving.load_model(tmp_path / "half.keras")
    assert int(resumed.optimizer.iterations) == 2
    resumed.fit(batch, batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(np.asarray(resumed.shares), np.asarray(whole.shares), rtol=1e-6)
    assert set(resumed.evaluate(batch, return_dict=True, verbose=0)) >= {"loss", "psnr", "ssim"}


def test_the_callbacks_of_keras(model, batch, tmp_path):
    model.compile("sgd")
    history = model.fit(
        batch,
        validation_data=(batch,),
        batch_size=4,
        epochs=3,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                tmp_path / "best.keras", monitor="val_psnr", save_best_only=True
            ),
            keras.callbacks.TensorBoard(tmp_path / "logs"),
            keras.callbacks.EarlyStopping(monitor="val_ssim", patience=5),
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        ],
    ).history
    assert len(history["val_psnr"]) == 3 and history["learning_rate"][-1] < 0.002
    assert list((tmp_path / "logs").rglob("events.*"))
    best = keras.saving.load_model(tmp_path / "best.keras")
    found = best.evaluate(batch, return_dict=True, verbose=0)
    assert found["psnr"] == pytest.approx(max(history["val_psnr"]), rel=1e-5)


def test_a_network_without_a_preset_names_what_it_needs(batch):
    class Unknown(mix.Mix):
        pass

    model = Unknown()
    with pytest.raises(InputError, match="no preset says how Unknown is trained; name a `loss`"):
        model.compile("sgd")
    model.compile("sgd", "mae")
    assert "psnr" in model.evaluate(batch, return_dict=True, verbose=0)


def test_weights_of_a_compiled_model_are_the_weights_alone(model, batch, tmp_path):
    model.compile("adam")
    model.fit(batch, batch_size=4, verbose=0)
    tfvfi.weights.save(model, tmp_path / "ours.weights.h5")
    model.save_weights(tmp_path / "keras.weights.h5")
    sizes = [(tmp_path / f"{by}.weights.h5").stat().st_size for by in ("ours", "keras")]
    assert sizes[0] < sizes[1]
    for by in ("ours", "keras"):
        again = tfvfi.load("mix", tmp_path / f"{by}.weights.h5")
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
