"""What a run leaves to look at: events, pictures, curve, metrics, card, weights."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from tensorflow.core.util import event_pb2

import tfvfi
from tests.training import tiny
from tfvfi.data import tfrecord
from tfvfi.errors import InputError
from tfvfi.media import pictures
from tfvfi.training import checkpoints, curve
from tfvfi.training.events import Events
from tfvfi.training.folder import RunFolder
from tfvfi.training.pictures import sheet
from tfvfi.training.session import dry_run, train
from tfvfi.training.settings import Settings

tiny.register()


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> str:
    return tiny.records(tmp_path_factory.mktemp("records") / "three")


@pytest.fixture(scope="module")
def run(records, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    asked = {"steps": 6, "batch_size": 2, "interval": 2, "learning_rate": 0.02, "ema": 0.5}
    return train(
        Settings("tiny", records, str(folder / "run"), export=str(folder / "e.weights.h5"), **asked)
    )


def events(folder: Path) -> list[event_pb2.Event]:
    found = []
    for path in sorted(folder.glob("*tfevents*")):
        with path.open("rb") as file:
            found += map(event_pb2.Event.FromString, tfrecord.records(file))
    return found


def test_tensorboard_gets_scalars_and_pictures(run):
    found = events(run)
    assert found[0].file_version == "brain.Event:2" and found[0].wall_time > 1e9
    values = {(event.step, value.tag): value for event in found for value in event.summary.value}
    for row in RunFolder(run).rows():
        for name in ("train/loss", "train/l1", "train/psnr", "validation/psnr", "learning_rate"):
            assert values[row["step"], name].simple_value == pytest.approx(row[name], rel=1e-5)
    picture = values[6, "samples/1"].image
    shown = pictures.decode(picture.encoded_image_string)
    # Both frames, truth and output, and below the error; 128 pixels a side and captions.
    assert shown.shape == (picture.height, picture.width, 3) == (2 * 148, 4 * 132, 3)


def test_what_was_written_behind_a_kill_is_forgotten(tmp_path):
    Events(tmp_path, 0).scalars(300, {"train/loss": 0.5})
    Events(tmp_path, 200).scalars(300, {"train/loss": 0.4})
    sessions = [event for event in events(tmp_path) if event.HasField("session_log")]
    assert [(each.step, each.session_log.status) for each in sessions] == [(201, 1)]
    assert [event.step for event in events(tmp_path) if event.HasField("summary")] == [300, 300]


def test_a_sheet_shows_flow_and_error():
    frame = np.full((16, 24, 3), 0.5, "float32")
    flow = np.zeros((16, 24, 2), "float32")
    flow[:, :12, 0] = 4
    example = {"frame0": frame, "frame1": frame, "target": frame, "frame": frame + 0.02}
    shown = sheet({**example, "flow0": flow, "flow1": -flow})
    assert shown.shape == (2 * 148, 4 * 196, 3)
    tiles = [
        shown[148 * row + 16 : 148 * row + 144, 196 * column : 196 * column + 192]
        for row in range(2)
        for column in range(4)
    ]
    truth, output, error, flow0, flow1, nothing = tiles[2:]
    assert (truth == 128).all() and (output == 133).all() and (error == 51).all()
    assert (flow0[:, 96:] == 255).all() and not (flow0[:, :96] == 255).all()
    assert not (flow0 == flow1).all() and (nothing == 255).all()


def test_the_curve_shows_every_measure(run):
    root = ElementTree.fromstring((run / "curve.svg").read_text())
    lines = [each for each in root.iter() if each.tag.endswith("polyline")]
    assert [len(line.get("points").split()) for line in lines] == [3, 3, 3, 3]
    text = "".join(root.itertext())
    for name in ("train/loss", "validation/loss", "train/psnr", "validation/psnr", "steps"):
        assert name in text


def test_a_curve_needs_neither_psnr_nor_positive_losses():
    rows = [{"step": step, "train/loss": 1.0 - step} for step in (1, 2, 3)]
    root = ElementTree.fromstring(curve.draw(rows))
    (line,) = (each for each in root.iter() if each.tag.endswith("polyline"))
    heights = [float(point.split(",")[1]) for point in line.get("points").split()]
    assert heights[0] < heights[1] < heights[2] <= curve.HEIGHT
    curve.draw([{"step": 1, "train/loss": float("nan")}])


def test_the_run_is_told(run):
    about = json.loads((run / "run.json").read_text())
    assert about["settings"]["learning_rate"] == 0.02 and about["settings"]["objective"] == "l1"
    assert {"tfvfi", "keras", "backend", "python"} <= set(about["environment"])
    assert about["git"] is None or len(about["git"]) >= 40


def test_the_best_averaged_weights_are_exported(records, tmp_path):
    path = tmp_path / "e.weights.h5"
    # So fast that it overshoots: the best is not the last.
    asked = {"steps": 20, "batch_size": 2, "interval": 4, "learning_rate": 0.2, "ema": 0.5}
    settings = Settings("tiny", records, str(tmp_path / "run"), export=str(path), **asked)
    run = train(settings)
    best = checkpoints.read_state(checkpoints.newest(run / "checkpoints")).best_step
    with np.load(checkpoints.at_step(run / "checkpoints", best)) as file:
        (average,) = (file[name] for name in file.files if name.endswith("_average"))
    model = tfvfi.load("tiny", weights=str(path))
    np.testing.assert_array_equal(model.shares, average)
    told = tfvfi.weights.describe(path)
    assert told["metrics"]["step"] == best < 20 and told["settings"]["batch_size"] == 2
    card = (tmp_path / "e.md").read_text()
    # Others may read what they are given.
    assert path.stat().st_mode & 0o777 == (tmp_path / "e.md").stat().st_mode & 0o777
    assert 'tfvfi.load("tiny", weights="e.weights.h5")' in card and "validation/psnr" in card
    # Where the best is gone, the last is what there is.
    checkpoints.at_step(run / "checkpoints", best).unlink()
    train(settings)
    assert tfvfi.weights.describe(path)["metrics"]["step"] == 20


def test_tuned_weights_tell_where_they_came_from(run, records, tmp_path):
    start = str(run.parent / "e.weights.h5")
    out = str(tmp_path / "tuned.weights.h5")
    asked = {"weights": start, "export": out, "steps": 2, "batch_size": 2}
    train(Settings("tiny", records, str(tmp_path / "run"), **asked), quiet=True)
    assert tfvfi.weights.describe(out)["origin"] == f"trained by tfvfi from {start}"


def test_a_dry_run_writes_nothing(records, tmp_path):
    asked = {"steps": 100, "batch_size": 4, "export": str(tmp_path / "e.weights.h5")}
    plan = dry_run(Settings("tiny", records, str(tmp_path / "run"), **asked))
    assert not list(tmp_path.iterdir())
    for part in ("tiny, 0.00 M parameters", "l1: l1", "20 examples of 3 frames", "s a step"):
        assert part in plan
    assert "frame0 (4, 16, 16, 3)" in plan and "GB at the peak" in plan


def test_an_export_that_cannot_be_written_is_refused_at_once(records, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.weights.h5").mkdir()
    for export, said in (
        ("weights.pth", r"\.weights\.h5"),
        (f"{tmp_path}/file/e.weights.h5", "is no folder to write to"),
        (f"{tmp_path}/folder.weights.h5", "is a folder; `export` is a file"),
    ):
        with pytest.raises(InputError, match=said):
            train(Settings("tiny", records, str(tmp_path / "run"), export=export))
    assert not (tmp_path / "run").exists()
