"""Training on the backend that Keras runs on, whichever it is; `make test-jax` runs it on JAX."""

import numpy as np
import pytest

from tests.training import tiny
from tfvfi.training.folder import RunFolder
from tfvfi.training.session import train
from tfvfi.training.settings import Settings

tiny.register()
RUN = {
    "batch_size": 2,
    "crop_size": 32,
    "interval": 5,
    "optimizer": "adamw",
    "learning_rate": 0.02,
    "ema": 0.5,
    "clip": 1.0,
    "validation_limit": 4,
}


def test_a_run_learns_and_resumes_exactly(tmp_path):
    settings = [
        Settings("tiny_noisy", "records/sample", str(tmp_path / folder), **RUN, steps=steps)
        for folder, steps in (("resumed", 10), ("resumed", 25), ("whole", 25))
    ]
    _, resumed, whole = (train(each, quiet=True) for each in settings)
    for name, array in tiny.weights(resumed).items():
        np.testing.assert_array_equal(array, tiny.weights(whole)[name], err_msg=name)
    rows = RunFolder(whole).rows()
    assert rows[-1]["train/loss"] < 0.7 * rows[0]["train/loss"]
    assert rows[-1]["validation/psnr"] > rows[0]["validation/psnr"]


@pytest.mark.slow
def test_a_real_network_trains(tmp_path):
    settings = Settings("ifrnet_s", "records/sample", str(tmp_path), **RUN, steps=2)
    assert np.isfinite(RunFolder(train(settings, quiet=True)).rows()[-1]["validation/loss"])
