"""Objectives for any network: found by name, worth what they say."""

import numpy as np
import pytest

from tests.training import tiny
from tfvfi import losses, registry
from tfvfi.errors import InputError
from tfvfi.models import objectives

tiny.register()


@pytest.fixture
def batch() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    frames = random.uniform(size=(3, 2, 64, 64, 3)).astype("float32")
    names = ("frame0", "frame1", "target")
    return dict(zip(names, frames, strict=True)) | {"time": np.full(2, 0.5, "float32")}


def painted(batch) -> np.ndarray:
    first, second, brightness = tiny.FIRST
    return first * batch["frame0"] + second * batch["frame1"] + brightness


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("l1", lambda frame, target: np.mean(np.abs(frame - target))),
        ("charbonnier", lambda frame, target: np.mean(np.sqrt((frame - target) ** 2 + 1e-6))),
        ("laplacian", lambda frame, target: float(losses.laplacian(frame, target))),
    ],
)
def test_general_objectives(name, by_hand, batch):
    found = objectives.find(registry.preset("tiny"), name)
    total, terms = objectives.build(found, {})(registry.build("tiny"), batch)
    assert float(total) == pytest.approx(by_hand(painted(batch), batch["target"]), rel=1e-4)
    assert list(terms) == [name]


def test_perceptual_adds_features(batch):
    shapes = {"0": (3, 64), "2": (64, 64), "5": (64, 128), "7": (128, 128), "10": (128, 256)}
    shapes |= {"12": (256, 256), "14": (256, 256), "17": (256, 512), "19": (512, 512)}
    shapes |= {"21": (512, 512)}
    random = np.random.default_rng(1)
    arrays = {}
    for number, (inside, outside) in shapes.items():
        arrays[f"features.{number}.weight"] = random.normal(
            scale=(2 / 9 / inside) ** 0.5, size=(outside, inside, 3, 3)
        ).astype("float32")
        arrays[f"features.{number}.bias"] = np.zeros(outside, "float32")
    found = objectives.find(registry.preset("tiny"), "perceptual")
    function = objectives.build(found, {"perceptual_weights": arrays})
    total, terms = function(registry.build("tiny"), batch)
    assert sorted(terms) == ["l1", "perceptual"]
    features = losses.Perceptual(arrays, layer="relu4_3")(painted(batch), batch["target"])
    assert float(terms["perceptual"]) == pytest.approx(0.005 * float(features), rel=1e-4)
    assert float(total) == pytest.approx(sum(map(float, terms.values())), rel=1e-6)


def test_photometric_is_for_flow(batch):
    preset = registry.preset("flownet2_s")
    found = objectives.find(preset, "photometric")
    network = registry.build("flownet2_s")
    total, terms = objectives.build(found, {})(network, batch)
    assert found.batch == "pair" and sorted(terms) == ["photometric", "smoothness"]
    pair = batch["frame0"], batch["frame1"]
    flow = network(dict(zip(network.input_names, pair, strict=True)))["flow"]
    by_hand = losses.photometric(*pair, flow), losses.smoothness(flow)
    # A pixel.
    assert float(total) == pytest.approx(sum(map(float, by_hand)) / 64**2, rel=1e-5)


def test_own_objectives_come_first():
    assert objectives.find(registry.preset("softsplat")).function.startswith("tfvfi.models.softs")
    assert objectives.find(registry.preset("pwcnet")).name == "pwcnet"
    assert objectives.find(registry.preset("tiny")).name == "l1"


@pytest.mark.parametrize(
    ("model", "name", "options", "said"),
    [
        ("ifrnet_s", "photometric", {}, "there is no objective 'photometric' for ifrnet_s; those"),
        ("pwcnet", "l1", {}, "those that suit it are: photometric, pwcnet"),
        ("ifrnet_s", "l1", {"teacher": "x"}, "takes no `teacher`"),
        ("ifrnet_s", "perceptual", {"perceptual_weights": None}, "needs `perceptual_weights`"),
        ("ifrnet_s", "perceptual", {"perceptual_weights": "x"}, "there is no file x"),
    ],
)
def test_what_does_not_suit_is_refused(model, name, options, said):
    with pytest.raises(InputError, match=said):
        objectives.build(objectives.find(registry.preset(model), name), options)
