"""FILM: golden arrays of three sizes, its checkpoints, its times, its borders."""

import json
import shutil

import numpy as np
import pytest

import tfvfi
from tests.losses import seeded_vgg
from tests.models.shared import GOLDEN, Golden, InterpolatorCase, seeded
from tests.pictures import texture
from tfvfi import registry, weights
from tfvfi.errors import InputError
from tfvfi.losses import Style
from tfvfi.models import objectives
from tfvfi.models.film.checkpoint import variable_names
from tfvfi.porting import convert

SIZES = ((64, 64), (64, 128), (128, 128))
# The configuration of the SavedModel in the golden folder; a small one for quick tests, too.
TINY = {
    "levels": 5,
    "fusion_levels": 3,
    "filters": 2,
    "flow_filters": (4, 4, 4, 4),
    "flow_convolutions": (1, 1, 1, 1),
}
SMALL = {"levels": 5, "fusion_levels": 3, "filters": 4, "flow_filters": (8, 8, 8, 8)}


def arrays(file: str) -> dict[str, np.ndarray]:
    with np.load(GOLDEN / "film" / file) as found:
        return dict(found)


def pair(size: tuple[int, int]) -> dict[str, np.ndarray]:
    frames = {"frame0": texture(*size), "frame1": texture(*size, 5.0)}
    return {**frames, "time": np.float32([0.5])}


class TestFILM(InterpolatorCase):
    preset = "film"
    options = SMALL

    def golden(self):
        expected = arrays("outputs.npz")
        model = seeded("film", "film/film.manifest.json")
        for number, size in enumerate(SIZES):
            outputs = {"frame": (expected[f"image{number}"], 2e-5)}
            for level in range(model.fusion_levels):
                if f"flows01_{number}_{level}" in expected:
                    # From the middle half as far, and to frame0 as from frame1.
                    flows = [
                        expected[f"{name}_{number}_{level}"] for name in ("flows10", "flows01")
                    ]
                    outputs[f"flow_levels/{level}"] = (np.concatenate(flows, -1) / 2, 2e-5)
            yield Golden(model, pair(size), outputs)


@pytest.mark.slow
def test_sizes_that_do_not_divide_as_its_authors_evaluate_them():
    model = seeded("film", "film/film.manifest.json", border="none")
    out = np.asarray(model(pair((136, 150)))["frame"])
    np.testing.assert_allclose(out[:, ::2, ::2], arrays("outputs.npz")["image3"], atol=2e-5)
    with pytest.raises(InputError, match=r"at least 128 x 128 .* border='zeros'. Received: .* 100"):
        model.interpolate(np.zeros((100, 150, 3)), np.zeros((100, 150, 3)))


def test_a_published_folder_is_known_by_its_path(tmp_path):
    path = shutil.copytree(GOLDEN / "film" / "saved_model", tmp_path / "film_net/Style/saved_model")
    (path / "saved_model.pb").write_bytes(b"never opened")
    convert("film", path, tmp_path / "style.weights.h5", **TINY)
    about = weights.describe(tmp_path / "style.weights.h5")
    assert about["checkpoint"] == "film_net/Style/saved_model"
    assert about["licence"] == "Apache-2.0" and about["trained_on"] == "Vimeo90K, Style loss"


@pytest.mark.parametrize("kind", ["saved_model", "train", "train/ckpt-1", "train/ckpt-1.index"])
def test_checkpoints_of_the_original_code(kind, tmp_path):
    folder = shutil.copytree(GOLDEN / "film", tmp_path / "film")
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"never opened")
    path = tmp_path / "film.weights.h5"
    convert("film", folder / kind, path, **TINY)
    # The configuration is kept with the weights.
    model = tfvfi.load("film", weights=path)
    assert model.times == (0.5,)
    frame = np.asarray(model(pair((64, 128)))["frame"])
    np.testing.assert_allclose(frame, arrays("tiny.npz")["image"], atol=2e-5)


def test_the_published_names_are_known():
    spec = json.loads((GOLDEN / "film/film.manifest.json").read_text())
    names = variable_names(registry.build("film", **SMALL).get_config() | {"fusion_levels": 5})
    assert list(names) == [row[0] for row in spec["manifest"]]


def test_times_by_recursion_and_by_scaling():
    keep = TestFILM.build()
    a, b = texture(64, 64)[0], texture(64, 64, 3.0)[0]
    half = keep({"frame0": a[None], "frame1": b[None], "time": np.float32([0.5])})
    # Recursion goes on from frames that are not clipped, as its authors' does.
    middle = np.asarray(half["frame"])[0]
    (quarter,) = keep.interpolate(a, b, times=(0.25,))
    np.testing.assert_allclose(quarter, keep.interpolate(a, middle)[0], atol=1e-5)
    with pytest.raises(InputError, match=r"answer time 0\.5 only"):
        keep.interpolate(a, b, times=(0.3,))
    with pytest.raises(InputError, match=r"answers time 0\.5 only.*Received: \[0\.25"):
        keep({"frame0": a[None], "frame1": b[None], "time": np.float32([0.25])})

    scaled = TestFILM.build(time_scaling=True)
    scaled.set_weights(keep.get_weights())
    assert scaled.times == "any" and scaled.measure_times() == "any"
    np.testing.assert_allclose(scaled.interpolate(a, b)[0], np.clip(middle, 0, 1), atol=1e-5)
    out = scaled({"frame0": a[None], "frame1": b[None], "time": np.float32([0.25])})
    np.testing.assert_allclose(out["flow0"], np.asarray(half["flow0"]) * 0.5, atol=1e-6)
    np.testing.assert_allclose(out["flow1"], np.asarray(half["flow1"]) * 1.5, atol=1e-6)


def test_weights_of_middles_may_be_scaled_by_the_time(tmp_path):
    path = tmp_path / "film.weights.h5"
    weights.save(TestFILM.build(), path, options={"filters": 4})
    assert tfvfi.load("film", weights=path, **SMALL).times == (0.5,)
    assert tfvfi.load("film", weights=path, **SMALL, time_scaling=True).times == "any"


def test_frames_lie_in_the_middle_of_black():
    model = TestFILM.build()
    frame = np.ones((1, 5, 10, 3), "float32")
    padded = np.asarray(model.pad(frame))[0, :, :, 0]
    np.testing.assert_array_equal(padded, np.pad(frame[0, :, :, 0], ((5, 6), (3, 3))))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"levels": 3}, "specialized_levels must be at least 1 and below levels.*levels=3"),
        ({"flow_filters": (4, 4)}, "have 4 numbers each.*Received: \\(4, 4\\)"),
        ({"border": "edge"}, "border is one of zeros, none. Received: 'edge'"),
        ({"times": "any"}, "time 0.5 only, unless time_scaling=True"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        registry.build("film", **options)


@pytest.mark.slow
def test_the_objectives_weights_change_at_half_of_the_training():
    model, arrays = TestFILM.build(), seeded_vgg.oxford()
    inputs = pair((64, 64))
    batch = {**inputs, "target": texture(64, 64, 2.5)}
    frame, distance = model(inputs)["frame"], Style(arrays)
    found, wanted = distance.features(frame), distance.features(batch["target"])
    l1 = np.mean(np.abs(frame - batch["target"]))
    vgg, gram = float(distance.vgg(found, wanted)), float(distance.style(found, wanted))
    expected = {
        ("film_l1", 0.2): {"l1": l1},
        ("film_vgg", 0.2): {"l1": l1, "vgg": vgg},
        ("film_style", 0.2): {"l1": l1, "vgg": vgg, "style": 0},
        ("film_style", 0.7): {"l1": l1, "vgg": vgg / 4, "style": 40 * gram},
        ("film_style", None): {"l1": l1, "vgg": vgg / 4, "style": 40 * gram},
        ("style", 0.2): {"l1": l1, "vgg": vgg / 4, "style": 40 * gram},
    }
    preset = registry.preset("film")
    for (name, progress), values in expected.items():
        options = {} if name == "film_l1" else {"perceptual_weights": arrays}
        objective = objectives.build(objectives.find(preset, name), options)
        more = {} if progress is None else {"progress": np.float32(progress)}
        total, terms = objective(model, {**batch, **more})
        assert {key: float(value) for key, value in terms.items()} == pytest.approx(
            {key: float(value) for key, value in values.items()}, rel=1e-3
        )
        assert float(total) == pytest.approx(sum(map(float, values.values())), rel=1e-3)
