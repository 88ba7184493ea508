"""Fine-tuning on a clip: a curve, pictures, weights that load, and a kill in between."""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest

from tfvfi.errors import InputError
from tfvfi.studio.jobs import Job, Listener
from tfvfi.studio.tasks import TASKS

CLIP = Path(__file__).parents[2] / "samples" / "clip.mp4"
MODEL = {"name": "ifrnet_s", "options": {}, "weights": None}


class Heard:
    """Replies that are kept."""

    def __init__(self):
        self.points, self.pictures, self.stages = [], [], []

    def send(self, point=None, picture=None, stage=None):
        self.points += [point] if point else []
        self.pictures += [picture] if picture else []
        self.stages += [stage] if stage else []

    def progress(self, done, total):
        pass


def tune(folder, heard, **given):
    settings = {
        **{"inputs": [str(CLIP)], "folder": str(folder), "output": str(folder / "x.weights.h5")},
        **{"model": MODEL, "objective": "cycle", "steps": 2, "learning_rate": 1e-5, "seconds": 0.5},
    }
    return TASKS["tune"](heard, **{**settings, **given})


@pytest.mark.slow
def test_a_network_learns_from_the_clip_and_continues(tmp_path, monkeypatch):
    import tfvfi

    # Small, because only the way is looked at.
    for name, value in {"PATCHES": 8, "CROP": 64, "PATCH": 64, "BATCH": 1}.items():
        monkeypatch.setattr(f"tfvfi.studio.tune.{name}", value)
    heard = Heard()
    result = tune(tmp_path, heard)
    assert [point["step"] for point in heard.points] == [0, 1, 2]
    assert result["before"] == heard.points[0]["psnr"] > 25
    assert result["after"] == heard.points[-1]["psnr"] > 25
    assert [picture["role"] for picture in heard.pictures] == ["truth", "before", "now", "now"]
    assert base64.b64decode(heard.pictures[0]["png"]).startswith(b"\x89PNG")
    tuned = tfvfi.load("ifrnet_s", weights=tmp_path / "x.weights.h5")
    plain = tfvfi.load("ifrnet_s")
    assert any(not np.array_equal(a, b) for a, b in zip(tuned.weights, plain.weights, strict=True))
    # As after a kill behind the last interval: nothing is left to do but the weights.
    (tmp_path / "x.weights.h5").unlink()
    again = Heard()
    tune(tmp_path, again)
    assert [point["step"] for point in again.points] == [0]
    assert (tmp_path / "x.weights.h5").exists()


def test_pictures_alone_are_no_clip(tmp_path):
    with pytest.raises(InputError, match="fine-tuning needs a video"):
        tune(tmp_path, Heard(), inputs=[str(CLIP), str(CLIP)])


def test_the_curve_of_a_continued_training_goes_on(tmp_path):
    job = Job("tune", "x", {"folder": str(tmp_path)}, "x", "")
    listen = Listener(job)
    for step in (0, 1, 2, 3, 0, 3, 4):
        listen({"point": {"step": step, "psnr": step}})
    assert [point["step"] for point in job.curve] == [0, 1, 2, 3, 4]
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        listen({"picture": {"role": "now", "png": ""}})
