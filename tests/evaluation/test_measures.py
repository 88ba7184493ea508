"""Metrics against the values that published evaluation code gives."""

from pathlib import Path

import numpy as np
import pytest

from tfvfi.errors import InputError
from tfvfi.evaluation import measures

GOLDEN = Path(__file__).parent.parent / "golden" / "evaluation"


@pytest.fixture(scope="module")
def ifrnet():
    arrays = dict(np.load(GOLDEN / "ifrnet.npz"))
    arrays |= {key: np.moveaxis(arrays[key], 1, -1) for key in "xy"}
    return arrays


@pytest.mark.parametrize("pair", range(5))
def test_superslomo_evaluation(pair):
    arrays = np.load(GOLDEN / "superslomo.npz")
    frame, truth = arrays[f"pred{pair}"], arrays[f"gt{pair}"]
    found = [
        measures.psnr(frame, truth),
        measures.ssim(frame, truth),
        measures.interpolation_error(frame, truth, "euclidean"),
        measures.ssim(frame, truth, form="uniform"),
    ]
    expected = [arrays[name][pair] for name in ("psnr", "ssim", "ie", "ssim_uniform")]
    # Their IE is summed in float32.
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=2e-6)
    assert found[0] == expected[0] or abs(found[0] - expected[0]) < 1e-11
    assert max(abs(found[at] - expected[at]) for at in (1, 3)) < 1e-12


@pytest.mark.parametrize("pair", range(2))
def test_ifrnet_evaluation(ifrnet, pair):
    x, y = ifrnet["x"][pair], ifrnet["y"][pair]
    # Their rule for the range reads the first image alone.
    signed_range = 2 if (2 * x - 1).min() < -0.5 else 1
    found = {
        "psnr": measures.psnr(x, y),
        "ssim3d": measures.ssim_3d(x, y),
        "ssim2d": measures.ssim(x, y, form="ifrnet"),
        "ie": measures.interpolation_error(x, y),
        "ssim3d_255": measures.ssim_3d(255 * x, 255 * y, data_range=255),
        "ssim3d_signed": measures.ssim_3d(2 * x - 1, 2 * y - 1, data_range=signed_range),
        "ssim3d_cs": np.mean(
            measures.ssim_maps(x.astype(float), y.astype(float), measures.blur_3d)[1]
        ),
    }
    for name, value in found.items():
        # They compute in float32, whose variances cancel.
        assert value == pytest.approx(ifrnet[f"metric_{name}"][pair], abs=3e-5), name


def test_ifrnet_evaluation_of_a_batch(ifrnet):
    x, y = ifrnet["x"], ifrnet["y"]
    assert measures.psnr(x, y) == pytest.approx(ifrnet["metric_psnr_batch"], abs=1e-5)
    for name, metric in (
        ("ssim3d", measures.ssim_3d),
        ("ssim2d", lambda a, b: measures.ssim(a, b, form="ifrnet")),
        ("ie", measures.interpolation_error),
    ):
        mean = np.mean([metric(*pair) for pair in zip(x, y, strict=True)])
        assert mean == pytest.approx(ifrnet[f"metric_{name}_batch"], abs=3e-5), name


def test_window_is_the_published_one(ifrnet):
    line = measures.gaussian()
    window = line[:, None, None] * line[:, None] * line
    np.testing.assert_allclose(window, ifrnet["ssim_window3d"], rtol=1e-5)


def test_forms_of_the_interpolation_error_differ_as_defined():
    truth = np.zeros((2, 2, 3), np.uint8)
    frame = truth.copy()
    frame[0, 0] = (3, 4, 12)
    forms = ("absolute", "rms", "euclidean")
    found = [measures.interpolation_error(frame, truth, form) for form in forms]
    np.testing.assert_allclose(found, [19 / 12, 6.5, 13 / 4])


def test_floats_and_integers_agree(ifrnet):
    a, b = (np.rint(255 * ifrnet[key][0]).astype(np.uint8) for key in "xy")
    for metric in measures.OF_FRAMES.values():
        scaled = metric((a / 255).astype("float64"), b / 255)
        assert metric(a, b) == pytest.approx(scaled, rel=1e-12)
        assert metric(a.astype(np.uint16) * 257, b.astype(np.uint16) * 257) == pytest.approx(scaled)


def test_flicker_counts_what_comes_and_goes():
    truth = [np.full((4, 4, 3), 0.5)] * 3
    tinted = [frame + 0.1 for frame in truth]
    blinking = [truth[0], tinted[0], truth[0]]
    assert measures.flicker(truth, truth) == 0
    assert measures.flicker(tinted, truth) == pytest.approx(255 * 0.1 * 2 / 4)
    assert measures.flicker(blinking, truth) == pytest.approx(measures.flicker(tinted, truth))
    assert measures.flicker([tinted[0], truth[0], tinted[0]], truth) == pytest.approx(25.5)


def test_endpoint_error_skips_what_is_unknown():
    truth = np.zeros((2, 2, 2), "float32")
    truth[0, 0] = 1e10
    truth[0, 1] = np.nan
    flow = np.full_like(truth, (6, 8))
    assert measures.endpoint_error(flow, truth) == 10


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros((20, 20, 3)), np.zeros((20, 21, 3))),
        (np.zeros((20, 20, 3), "uint8"), np.zeros((20, 20, 3))),
        (np.zeros((20, 20, 3), "uint8"), np.zeros((20, 20, 3), "uint16")),
        (np.zeros((20, 20, 3), "int64"), np.zeros((20, 20, 3), "int64")),
    ],
)
def test_frames_that_cannot_be_compared(a, b):
    for metric in measures.OF_FRAMES.values():
        with pytest.raises(InputError, match="Received: "):
            metric(a, b)


def test_other_mistakes():
    frame, small = np.zeros((20, 20, 3)), np.zeros((10, 20, 3))
    for wrong in (
        lambda: measures.ssim(small, small),
        lambda: measures.ssim(frame, frame, form="other"),
        lambda: measures.interpolation_error(frame, frame, "new"),
        lambda: measures.ssim_3d(frame[..., 0], frame[..., 0]),
        lambda: measures.flicker([frame], [frame, frame]),
        lambda: measures.flicker([], []),
        lambda: measures.endpoint_error(frame, frame),
        lambda: measures.endpoint_error(np.zeros((1, 1, 2)), np.full((1, 1, 2), np.nan)),
    ):
        with pytest.raises(InputError):
            wrong()


def test_every_metric_is_defined():
    assert set(measures.DEFINITIONS) == {*measures.OF_FRAMES, "flicker", "lpips"}
    assert set(measures.DEFINITIONS) >= measures.HIGHER_IS_BETTER
