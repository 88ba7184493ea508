"""A saved network is loaded by a process that imported nothing but tfvfi and Keras."""

import subprocess
import sys

import keras
import numpy as np

import tfvfi
from tests.pictures import texture
from tfvfi.models import deferred, index

LOADS = """
import sys
import tfvfi

assert "keras" not in sys.modules and "numpy" not in sys.modules
import keras
import numpy as np

for path in sys.argv[2:]:
    model = keras.saving.load_model(path)
    np.save(path + ".npy", model.predict(dict(np.load(sys.argv[1])), verbose=0)["frame"])
"""


def test_a_fresh_process_loads_what_was_saved(tmp_path):
    models = {
        "ifrnet": tfvfi.load("ifrnet_s"),
        "flow": tfvfi.load("flow_interpolation", flow="pwcnet", flow_weights=None),
    }
    models["ifrnet"].compile()
    inputs = {"frame0": texture(64, 64), "frame1": texture(64, 64, 1.5), "time": np.float32([0.5])}
    np.savez(tmp_path / "inputs.npz", **inputs)
    paths = {name: str(tmp_path / f"{name}.keras") for name in models}
    for name, model in models.items():
        model.save(paths[name])
    command = [sys.executable, "-c", LOADS, tmp_path / "inputs.npz", *paths.values()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, model in models.items():
        expected = model.predict(inputs, verbose=0)["frame"]
        np.testing.assert_allclose(np.load(paths[name] + ".npy"), expected, atol=1e-6)


def test_every_class_that_a_file_can_name_has_a_stand_in():
    known = dict(keras.saving.get_custom_objects())
    for preset in index.own_presets():
        index.network_class(preset)
    for module, names in deferred.OTHERS.items():
        for name in names:
            made = getattr(__import__(module, fromlist=[name]), name)
            assert keras.saving.get_registered_object(f"tfvfi>{name}") is made
    found = {
        name
        for name, made in keras.saving.get_custom_objects().items()
        if name.startswith("tfvfi>")
        and isinstance(made, type)
        and not made.__module__.startswith("tfvfi.models.film")
    }
    assert found <= set(known), found - set(known)
