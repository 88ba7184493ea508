"""The perceptual loss against PyTorch's values, from weights under torchvision's names."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.golden.seeded import seeded_state
from tfvfi.errors import InputError
from tfvfi.losses import Perceptual

GOLDEN = Path(__file__).parent.parent / "golden" / "superslomo"


@pytest.fixture(scope="module")
def vgg16() -> dict[str, np.ndarray]:
    spec = json.loads((GOLDEN / "vgg16.manifest.json").read_text())
    return seeded_state(spec["manifest"], spec["seed"])


def test_features_equal_the_published_ones(vgg16, tmp_path):
    with np.load(GOLDEN / "nvidia_superslomo.npz") as arrays:
        truth, mean, expected = (arrays[k] for k in ("a_gt", "const_mean_pix", "a_vgg_gt"))
    path = tmp_path / "vgg16.npz"
    np.savez(path, **vgg16)
    loss = Perceptual(path, "conv4_3", mean=mean.ravel() / 255, deviation=(1, 1, 1))
    features = loss.features(np.moveaxis(truth, 1, -1) / 255)
    np.testing.assert_allclose(
        np.moveaxis(features, -1, 1), expected, atol=5e-6 * np.abs(expected).max()
    )


def test_the_loss_of_frames_and_its_gradient(vgg16):
    loss = Perceptual(vgg16)
    image, target = np.random.default_rng(0).uniform(size=(2, 1, 32, 48, 3)).astype("float32")
    image = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = loss(image, target)
    expected = np.mean(np.square(loss.features(image) - loss.features(target)))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    # The loss falls where its gradient says.
    gradient = tape.gradient(value, image)
    step = 1e-3 / np.linalg.norm(gradient)
    fallen = value - loss(image - step * gradient, target)
    np.testing.assert_allclose(fallen, 1e-3 * np.linalg.norm(gradient), rtol=0.05)
    assert not tape.watched_variables()


def test_layers_before_and_after_their_relu(vgg16):
    image = np.random.default_rng(0).uniform(size=(1, 16, 24, 3)).astype("float32")
    before = np.asarray(Perceptual(vgg16, "conv3_2").features(image))
    after = np.asarray(Perceptual(vgg16, "relu3_2").features(image))
    assert before.shape == (1, 4, 6, 256) and before.min() < 0
    np.testing.assert_array_equal(after, np.maximum(before, 0))


def vgg19(up_to: int) -> dict[str, np.ndarray]:
    """Zeros under the names of torchvision's VGG19."""
    indices = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
    widths = (3, *[64] * 2, *[128] * 2, *[256] * 4, *[512] * 8)
    arrays = {}
    for index, before, after in zip(indices, widths[:-1], widths[1:], strict=True):
        if index <= up_to:
            arrays[f"features.{index}.weight"] = np.zeros((after, before, 3, 3), "float16")
            arrays[f"features.{index}.bias"] = np.zeros(after, "float16")
    return arrays


def test_vgg19_counts_its_layers_as_published():
    arrays = vgg19(up_to=25)
    arrays["features.25.bias"] += 2
    features = Perceptual(arrays, "relu4_4", network="vgg19").features(np.zeros((1, 8, 8, 3)))
    np.testing.assert_array_equal(features, np.full((1, 1, 1, 512), 2))
    with pytest.raises(InputError, match=r"torchvision's vgg19 \(at features.28.weight"):
        Perceptual(arrays, "conv5_1", network="vgg19")


def test_mistakes_are_told_in_one_sentence(vgg16, tmp_path):
    with pytest.raises(InputError, match=r"layers conv1_1, .*conv5_3\. Received: 'conv4_4'"):
        Perceptual(vgg16, "conv4_4")
    with pytest.raises(InputError, match=r"one of vgg16, vgg19\. Received: 'vgg11'"):
        Perceptual(vgg16, network="vgg11")
    with pytest.raises(InputError, match=r"none was named: get vgg16-397923af.pth.*BSD-3-Clause"):
        Perceptual(None)
    with pytest.raises(InputError, match=r"no file .*none.pth: get vgg19-dcbb9e9d.pth"):
        Perceptual(tmp_path / "none.pth", "relu4_4", network="vgg19")
    with pytest.raises(InputError, match=r"torchvision's vgg16 \(at features.17.weight it has not"):
        Perceptual(vgg19(up_to=25))
    wrong = {**vgg16, "features.0.weight": np.zeros((64, 1, 3, 3))}
    with pytest.raises(InputError, match=r"at features.0.weight it has shape \(64, 1, 3, 3\)"):
        Perceptual(wrong)
