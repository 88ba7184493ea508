"""A network that can learn learns one example by heart."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
WANTED = 35.0
# In a process of its own, which computes with two threads.
LEARN = """
import sys
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(2)
from tfvfi.training.job import prepare
from tfvfi.training.settings import Settings

settings = {"batch_size": 1, "crop_size": 64, "augmentation": (), "schedule": "constant"}
rate = {"optimizer": "adam", "learning_rate": 1e-3, "steps": 700, "ema": 0.0}
job = prepare(Settings(sys.argv[1], "records/sample", "run", **settings, **rate))
batch = next(iter(job.batches(0)))
update = tf.function(lambda: job.trainer.update(batch)["psnr"])
for _ in range(job.settings.steps):
    print(float(update()), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("model", ["ifrnet_s", "sepconv", "superslomo", "softsplat"])
def test_one_example_is_learned(model):
    process = subprocess.Popen(
        [sys.executable, "-c", LEARN, model], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    found = []
    for line in process.stdout:
        found.append(float(line))
        if found[-1] >= WANTED:
            break
    process.kill()
    process.communicate()
    assert found[0] < 30 and found[-1] >= WANTED, found
