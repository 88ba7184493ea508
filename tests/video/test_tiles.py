"""Tiles: the same as the whole frame where the network sees no further than they overlap."""

import cv2
import numpy as np
import pytest

from tests.video.clips import Fade, read, write
from tfvfi.errors import InputError
from tfvfi.video import Encoding, interpolate_video
from tfvfi.video.tiles import Tiling

SEES = 15


class Blurs(Fade):
    """Mixes, and looks at the `SEES` pixels around each: borders are repeated."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def interpolate(self, a, b, times=(0.5,)):
        self.sizes.append(a.shape[:2])
        window = (2 * SEES + 1, 2 * SEES + 1)
        pair = [cv2.blur(frame, window, borderType=cv2.BORDER_REPLICATE) for frame in (a, b)]
        return super().interpolate(*pair, times)


def scene(size, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 1, (size[0] // 9 + 2, size[1] // 9 + 2, 3))
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


@pytest.mark.parametrize("size", [(300, 500), (301, 163), (128, 900), (64, 64), (1000, 130)])
@pytest.mark.parametrize("form", ["float32", "uint8", "uint16"])
def test_tiled_equals_whole(size, form):
    most = np.iinfo(form).max if form != "float32" else 1
    a, b = ((scene(size, seed) * most).astype(form) for seed in (0, 1))
    unit = [frame.astype(np.float32) / np.float32(most) for frame in (a, b)]
    whole = Blurs().interpolate(*unit, (0.25, 0.5))
    tiling, network = Tiling(size, 192), Blurs()
    assert tiling.overlap >= 3 * SEES
    tiled = tiling.interpolate(network, a, b, (0.25, 0.5))
    for ours, theirs in zip(tiled, whole, strict=True):
        assert ours.dtype == form
        np.testing.assert_allclose(ours / most, theirs, atol=1e-5 + (form != "float32") / most)
    assert max(max(size) for size in network.sizes) <= 192


def test_a_network_that_sees_further_shows_no_seam():
    """Tiles of different brightness, as from a network that looks at the whole tile."""

    class Balances(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            return [(a + b) / 2 - (a + b).mean() / 20]

    ramp = np.linspace(0.3, 0.7, 700, dtype=np.float32)[None, :, None] * np.ones((400, 1, 3), "f4")
    (tiled,) = Tiling(ramp.shape[:2], 256).interpolate(Balances(), ramp, ramp, (0.5,))
    steps = np.abs(np.diff(tiled, axis=1)).max(), np.abs(np.diff(tiled, axis=0)).max()
    # The ramp itself rises by 0.0006 a pixel.
    assert max(steps) < 0.002


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 64), (65, 64), (100, 4000), (777, 333)])
@pytest.mark.parametrize("side", [64, 100, 192])
def test_weights_add_up_to_one_everywhere(height, width, side):
    total = np.zeros((height, width), np.float32)
    for tile in Tiling((height, width), side).tiles():
        total[tile.rows, tile.columns] += tile.row_weights[:, None] * tile.column_weights
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_too_little_memory_is_one_sentence(tmp_path):
    class ResourceExhaustedError(Exception):
        """As TensorFlow's."""

    class Large(Fade):
        def interpolate(self, a, b, times=(0.5,)):
            raise ResourceExhaustedError("OOM when allocating tensor with shape [1,24,540,960]")

    frames = [(scene((64, 96), seed) * 255).astype(np.uint8) for seed in (0, 1)]
    source = write(tmp_path / "in.mkv", frames)
    with pytest.raises(InputError, match=r"not suffice for frames of 96x64: .*`tile=512`"):
        interpolate_video(source, tmp_path / "out.mkv", Large(), scene_cuts="mix")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_motion_beyond_the_overlap_is_said_once(tmp_path, caplog):
    scenes = scene((256, 1024)) * 255
    frames = [np.roll(scenes, 60 * number, axis=1).astype(np.uint8) for number in range(4)]
    source = write(tmp_path / "in.mkv", frames)
    settings = {"encoding": Encoding("ffv1"), "scene_cuts": "mix", "progress": False}
    interpolate_video(source, tmp_path / "slow.mkv", Fade(), tile=512, **settings)
    assert "tiles overlap" not in caplog.text
    interpolate_video(source, tmp_path / "out.mkv", Fade(), tile=128, **settings)
    assert caplog.text.count("tiles overlap by 32") == 1
    for ours, theirs in zip(
        *(read(tmp_path / f"{n}.mkv")[0] for n in ("out", "slow")), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1)
