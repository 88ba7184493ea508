"""A training from its settings to its weights."""

import numpy as np
import pytest

from tests.data import small_records
from tests.training import tiny
from tfvfi.training import checkpoints
from tfvfi.training.session import train
from tfvfi.training.settings import Settings

tiny.register()


@pytest.mark.parametrize("model", ["tiny", pytest.param("ifrnet_s", marks=pytest.mark.slow)])
def test_a_run_leaves_metrics_and_checkpoints(tmp_path, model):
    records = small_records.write(tmp_path / "records")
    watched = []
    run = train(
        Settings(model, str(records), str(tmp_path / "run"), steps=4, batch_size=2, interval=2),
        quiet=True,
        watch=lambda row, network: watched.append((row["step"], network.name)),
    )
    assert watched == [(2, model), (4, model)]
    newest = checkpoints.newest(run / "checkpoints")
    assert checkpoints.read_state(newest).step == 4
    rows = (run / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3 and rows[0].startswith("step,seconds,learning_rate,")
    with np.load(newest) as file:
        assert any(name.startswith("optimizer/") for name in file)
