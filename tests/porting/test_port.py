"""Porting: layouts, and what is said when a checkpoint and a network differ."""

import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tfvfi import porting
from tfvfi.errors import InputError


class Toy(keras.Model):
    """A layer of every kind that the networks have."""

    def __init__(self):
        super().__init__(name="toy")
        self.conv = keras.layers.Conv2D(4, (3, 5), name="conv")
        self.prelu = keras.layers.PReLU(shared_axes=[1, 2], name="prelu")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.up = keras.layers.Conv2DTranspose(3, 4, strides=2, name="up")

    def call(self, image):
        return self.up(self.norm(self.prelu(self.conv(image))))

    def get_config(self):
        return {}


NAMES = {
    "net.0.weight": "conv/kernel",
    "net.0.bias": "conv/bias",
    "net.1.weight": "prelu/alpha",
    "net.2.weight": "norm/gamma",
    "net.2.bias": "norm/beta",
    "net.2.running_mean": "norm/moving_mean",
    "net.2.running_var": "norm/moving_variance",
    "net.3.weight": "up/kernel",
    "net.3.bias": "up/bias",
}
SHAPES = {
    "net.0.weight": (4, 2, 3, 5),
    "net.3.weight": (4, 3, 4, 4),
    "net.3.bias": (3,),
}
RULES = SimpleNamespace(
    variable_names=lambda config: NAMES,
    UNUSED=(r"net\.\d+\.num_batches_tracked",),
    rename=lambda key: key.replace("module", "net"),
)


@pytest.fixture
def toy():
    model = Toy()
    model(np.zeros((1, 8, 8, 2), "float32"))
    return model


@pytest.fixture
def tensors():
    chance = np.random.default_rng(0)
    return {key: chance.uniform(size=SHAPES.get(key, (4,))).astype("float32") for key in NAMES}


def values(model):
    return {one.path.partition("/")[2]: np.asarray(one.value) for one in model.weights}


def test_every_layout_arrives_where_it_belongs(toy, tensors):
    porting.port(tensors, toy, RULES)
    found = values(toy)
    assert found["conv/kernel"][2, 4, 1, 3] == tensors["net.0.weight"][3, 1, 2, 4]
    assert found["up/kernel"][0, 1, 2, 3] == tensors["net.3.weight"][3, 2, 0, 1]
    np.testing.assert_array_equal(found["prelu/alpha"], tensors["net.1.weight"].reshape(1, 1, 4))
    np.testing.assert_array_equal(found["norm/moving_variance"], tensors["net.2.running_var"])


def test_a_transposed_convolution_means_the_same_as_in_pytorch(toy, tensors):
    porting.port(tensors, toy, RULES)
    image = np.zeros((1, 2, 2, 4), "float32")
    image[0, 0, 1, 2] = 1
    # PyTorch: out[o, stride * y + i, stride * x + j] += image[c, y, x] * weight[c, o, i, j]
    expected = np.zeros((1, 6, 6, 3), "float32") + tensors["net.3.bias"]
    expected[0, 0:4, 2:6] += tensors["net.3.weight"][2].transpose(1, 2, 0)
    np.testing.assert_allclose(toy.up(image), expected, atol=1e-6)


def test_other_spellings_and_known_unused_keys(toy, tensors):
    other = {key.replace("net", "module"): array for key, array in tensors.items()}
    porting.port(other | {"net.2.num_batches_tracked": np.int64(3)}, toy, RULES)
    np.testing.assert_array_equal(values(toy)["conv/bias"], tensors["net.0.bias"])


def without(tensors, *keys):
    return {key: array for key, array in tensors.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda t: without(t, "net.0.bias", "net.3.bias"),
            "here.pth does not fit toy: 2 are missing from it (net.0.bias, net.3.bias); it looks",
        ),
        (
            lambda t: t | {"net.4.weight": np.ones(3)},
            "here.pth does not fit toy: 1 is unknown to toy (net.4.weight); it looks",
        ),
        (
            lambda t: t | {"net.3.weight": t["net.3.weight"].swapaxes(0, 1)},
            "1 is of another shape (net.3.weight is (3, 4, 4, 4) and should be (4, 3, 4, 4));",
        ),
        (
            lambda t: t | {"net.0.bias": np.ones((2, 2))},
            "1 is of another shape (net.0.bias is (2, 2) and should be (4,));",
        ),
        (
            lambda t: {},
            "9 are missing from it (net.0.weight, net.0.bias, net.1.weight, ...);",
        ),
    ],
)
def test_what_differs_is_named_and_nothing_is_changed(toy, tensors, change, said):
    before = values(toy)
    with pytest.raises(InputError, match=re.escape(said)):
        porting.port(change(tensors), toy, RULES, source="here.pth")
    for path, array in values(toy).items():
        np.testing.assert_array_equal(array, before[path])


def test_rules_that_do_not_cover_the_network_are_our_mistake(toy, tensors):
    rules = SimpleNamespace(variable_names=lambda config: without(NAMES, "net.0.bias"), UNUSED=())
    with pytest.raises(RuntimeError, match="conv/bias"):
        porting.port(tensors, toy, rules)
