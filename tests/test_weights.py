"""Weight files: round trip, description, and every way in which they can be wrong."""

import os

import h5py
import keras
import numpy as np
import pytest
from keras import layers, ops

from tfvfi import weights
from tfvfi.errors import InputError
from tfvfi.models.base import Interpolator


class Mixer(Interpolator):
    """Mixes two frames by a convolution: the smallest interpolator with weights."""

    def __init__(self, filters: int = 3, **kwargs):
        super().__init__(**kwargs)
        self.mix = layers.Conv2D(filters, 3, padding="same", name="mix")
        self.out = layers.Conv2D(3, 1, name="out")

    def prepare(self, frame0, frame1):
        return {"pair": ops.concatenate([frame0, frame1], axis=-1)}

    def render(self, prepared, time):
        plane = ops.ones_like(prepared["pair"][..., :1]) * ops.reshape(time, (-1, 1, 1, 1))
        return {"frame": self.out(self.mix(ops.concatenate([prepared["pair"], plane], axis=-1)))}


def mixer(name: str = "mixer", **kwargs) -> Mixer:
    model = Mixer(name=name, **kwargs)
    model.build()
    return model


def test_round_trip_keeps_weights_times_and_description(tmp_path):
    keras.utils.set_random_seed(1)
    path = tmp_path / "a.weights.h5"
    source = mixer(times=(0.5,))
    weights.save(source, path, origin="mixer.pth", licence="MIT")
    target = mixer(times="any")
    weights.load(target, path)
    for ours, theirs in zip(target.weights, source.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert target.times == (0.5,)
    about = weights.describe(path)
    assert (about["model"], about["origin"], about["licence"]) == ("mixer", "mixer.pth", "MIT")
    assert sorted(os.listdir(tmp_path)) == ["a.weights.h5"]


def test_half_the_bits_are_half_the_file_and_nearly_the_same_weights(tmp_path):
    source = mixer(filters=512)
    for name, half in (("whole", False), ("half", True)):
        weights.save(source, tmp_path / f"{name}.weights.h5", half=half, origin="here")
    whole, half = (tmp_path / f"{name}.weights.h5" for name in ("whole", "half"))
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    target = mixer(filters=512)
    weights.load(target, half)
    assert weights.describe(half) == weights.describe(whole)
    for ours, theirs in zip(target.weights, source.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours, theirs, rtol=5e-4, atol=1e-7)
        np.testing.assert_array_equal(ours, np.float16(theirs))


def test_a_file_written_by_plain_keras_loads(tmp_path):
    source = mixer()
    source.save_weights(tmp_path / "a.weights.h5")
    target = mixer()
    weights.load(target, tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(target.weights[0], source.weights[0])


def test_weights_of_another_network_are_named(tmp_path):
    weights.save(mixer("small", filters=2), tmp_path / "a.weights.h5")
    with pytest.raises(InputError) as error:
        weights.load(mixer("large", filters=4), tmp_path / "a.weights.h5")
    for part in ("weights of small", "differ from large", "mix/kernel", "[3, 3, 7, 2]"):
        assert part in str(error.value)


def test_without_a_description_the_shapes_decide(tmp_path):
    mixer(filters=2).save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(InputError, match="does not hold the weights of mixer"):
        weights.load(mixer(filters=4), tmp_path / "a.weights.h5")


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / "a.weights.h5"
    with pytest.raises(InputError, match="no weight file"):
        weights.load(mixer(), path)
    weights.save(mixer(), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="damaged"):
        weights.load(mixer(), path)
    (tmp_path / "net.pth").write_bytes(b"PK")
    with pytest.raises(InputError, match="convert_checkpoint"):
        weights.load(mixer(), tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"ending in \.weights\.h5"):
        weights.save(mixer(), tmp_path / "net.h5")


def test_links_out_of_the_file_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    weights.save(mixer(), path)
    with h5py.File(path, "r+") as file:
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "/secret")
    with pytest.raises(InputError, match="link to elsewhere"):
        weights.load(mixer(), path)


def test_arrays_kept_outside_the_file_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    weights.save(mixer(), path)
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(16))
    with h5py.File(path, "r+") as file:
        file.create_dataset("far", (4,), "float32", external=[(str(secret), 0, 16)])
    with pytest.raises(InputError, match="outside the file"):
        weights.load(mixer(), path)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.weights.h5"
    weights.save(mixer(), path, origin="first")

    def full(*args, **kwargs):
        raise OSError("No space left on device")

    model = mixer()
    monkeypatch.setattr(type(model), "save_weights", full)
    with pytest.raises(OSError, match="No space"):
        weights.save(model, path, origin="second")
    assert weights.describe(path)["origin"] == "first"
    assert os.listdir(tmp_path) == ["a.weights.h5"]
