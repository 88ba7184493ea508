"""A network from outside: a package of its own, known by an entry point or by registering it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tfvfi
from tfvfi.errors import InputError
from tfvfi.models.preset import Preset

NETWORK = '''
import keras
from keras import ops

from tfvfi.layers import Conv2D
from tfvfi.models.base import Interpolator


@keras.saving.register_keras_serializable("their_package")
class Theirs(Interpolator):
    """Half of both frames, and a learned correction."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = Conv2D(width, activation="relu", dtype=self.dtype_policy, name="first")
        self.last = Conv2D(3, dtype=self.dtype_policy, name="last")

    def get_config(self):
        return {**super().get_config(), "width": self.width}

    def prepare(self, frame0, frame1):
        return {"mean": (frame0 + frame1) / 2}

    def render(self, prepared, time):
        mean = prepared["mean"]
        return {"frame": mean + ops.cast(self.last(self.first(mean)), "float32")}
'''
PRESETS = """
from tfvfi.models.preset import Preset

PRESET = Preset(
    name="theirs",
    network="their_package.network:Theirs",
    kind="interpolator",
    description="a network from outside",
    origin="this test",
)
"""
USES = """
import sys

import keras
import numpy as np

import tfvfi

assert tfvfi.list_models()["theirs"]["description"] == "a network from outside"
model = tfvfi.load("theirs", weights=None, width=8)
black, white = np.zeros((20, 30, 3), "uint8"), np.full((20, 30, 3), 255, "uint8")
frames = model.interpolate(black, white, times=(0.25, 0.5))
assert [frame.shape for frame in frames] == [(20, 30, 3)] * 2

batch = {name: np.zeros((1, 16, 16, 3), "float32") for name in ("frame0", "frame1", "target")}
model.compile(run_eagerly=True)
history = model.fit(batch | {"time": np.full(1, 0.5, "float32")}, verbose=0).history
assert set(history) == {"loss", "l1", "psnr", "ssim"}, history

again = [model]
model.save(sys.argv[1] + "/model.keras")
again.append(keras.saving.load_model(sys.argv[1] + "/model.keras"))
model.save_to_preset(sys.argv[1] + "/folder")
again.append(tfvfi.load(sys.argv[1] + "/folder"))
tfvfi.weights.save(model, sys.argv[1] + "/model.weights.h5")
again.append(tfvfi.load("theirs", sys.argv[1] + "/model.weights.h5", width=8))
again.append(type(model).from_preset(sys.argv[1] + "/folder"))
first, *others = (each.interpolate(black, white)[0] for each in again)
assert all(np.array_equal(first, other) for other in others)
"""
COMMAND = "import sys; from tfvfi.cli import main; sys.exit(main())"


@pytest.fixture
def outside(tmp_path):
    """A folder with an installed package that offers a network."""
    package, info = tmp_path / "their_package", tmp_path / "their_package-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "network.py").write_text(NETWORK)
    (package / "presets.py").write_text(PRESETS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[tfvfi.presets]\ntheirs = their_package.presets:PRESET\n"
    )
    return tmp_path


def run(folder, *arguments):
    """Python with a folder of packages beside ours."""
    path = os.pathsep.join([str(folder), str(Path(tfvfi.__file__).parent.parent)])
    return subprocess.run(
        [sys.executable, "-c", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_a_network_of_an_installed_package_is_like_ours(outside):
    done = run(outside, USES, str(outside))
    assert done.returncode == 0, done.stderr
    listed = run(outside, COMMAND, "models")
    assert listed.returncode == 0 and "theirs" in listed.stdout, listed.stderr


def test_presets_that_cannot_be_used_do_not_take_ours_away(outside):
    (outside / "their_package" / "presets.py").write_text("PRESET = 'nonsense'")
    done = run(
        outside, "import tfvfi; print('theirs' in tfvfi.list_models(), len(tfvfi.list_models()))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("False") and int(done.stdout.split()[1]) > 10
    assert "their_package.presets:PRESET cannot be used" in done.stderr


def test_names_are_taken_once():
    ours = tfvfi.registry.preset("ifrnet_s")
    tfvfi.register(ours)
    with pytest.raises(InputError, match="there is already a model 'ifrnet_s'"):
        tfvfi.register(Preset("ifrnet_s", "a:B", "interpolator", "another", "this test"))
    with pytest.raises(InputError, match=r"Preset is registered\. Received: 'ifrnet_s'"):
        tfvfi.register("ifrnet_s")
