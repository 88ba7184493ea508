"""The style loss against the values of FILM's own code, from seeded weights of VGG-19."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.losses import seeded_vgg
from tests.pictures import texture
from tfvfi.errors import InputError
from tfvfi.losses import Style, gram

GOLDEN = Path(__file__).parent.parent / "golden" / "film"


@pytest.fixture(scope="module")
def vgg19() -> dict[str, np.ndarray]:
    return seeded_vgg.torchvision()


@pytest.fixture(scope="module")
def oxford() -> dict[str, np.ndarray]:
    return seeded_vgg.oxford()


def test_both_losses_and_gradients_are_the_published_ones(oxford):
    style = Style(oxford)
    image, target = tf.constant(texture(64, 128)), texture(64, 128, 2.0, seed=4)
    wanted = style.features(target)
    with np.load(GOLDEN / "losses.npz") as expected:
        for name in ("vgg", "style"):
            with tf.GradientTape() as tape:
                tape.watch(image)
                loss = getattr(style, name)(style.features(image), wanted)
            np.testing.assert_allclose(loss, expected[name], rtol=1e-4)
            gradient = np.asarray(tape.gradient(loss, image))[:, ::4, ::4]
            reference = expected[f"{name}_gradient"]
            np.testing.assert_allclose(gradient, reference, atol=1e-3 * np.abs(reference).max())


def test_torchvision_features_are_made_as_large(vgg19, oxford):
    # Without biases both would see the same frames, up to the deviation of each color.
    plain = [
        {name: 0 * values if values.ndim == 1 else values for name, values in arrays.items()}
        for arrays in (vgg19, oxford)
    ]
    frame = texture(32, 32)
    ours, theirs = (Style(arrays).features(frame) for arrays in plain)
    for one, other in zip(ours, theirs, strict=True):
        assert np.mean(np.abs(one - other)) < 0.05 * np.mean(np.abs(other))


def test_gram_is_the_mean_of_products():
    features = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    expected = np.einsum("nhwc,nhwd->ncd", features, features) / 15
    np.testing.assert_allclose(gram(features), expected, rtol=1e-5, atol=1e-6)


def test_equal_frames_cost_nothing_and_wrong_weights_are_refused(vgg19):
    style = Style(vgg19)
    features = style.features(texture(16, 16))
    assert float(style.vgg(features, features)) == float(style.style(features, features)) == 0
    with pytest.raises(InputError, match=r"torchvision's vgg19 \(at features.30.weight"):
        Style({name: values for name, values in vgg19.items() if ".30." not in name})
    with pytest.raises(InputError, match=r"none was named: get vgg19-dcbb9e9d.pth"):
        Style(None)
