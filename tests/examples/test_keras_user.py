"""The steps of a Keras user, with networks of every kind."""

import importlib.util

import pytest

from examples import keras_user
from tests import commands
from tfvfi.cli import command

SIX = ("ifrnet_s", "sepconv", "softsplat", "superslomo", "flownet2_s", "pwcnet")


def follow(model, output, capsys, *more):
    given = [f"--model={model}", f"--output={output}", *more]
    assert commands.run(keras_user, *given) == command.DONE
    said = capsys.readouterr().out
    assert "Total params: " in said and "loaded by another process it predicts the same" in said
    measured = "psnr" if model in SIX[:4] else "endpoint_error"
    assert measured in said.partition("Evaluated:")[2]
    assert (output / "model.keras").exists() and (output / "epoch-2.keras").exists()
    # Keras writes TensorBoard's files by TensorFlow.
    if importlib.util.find_spec("tensorflow"):
        assert list((output / "logs").rglob("events.*"))


# Its steps are fast one by one in tests/models/test_fit.py and test_deferred.py.
@pytest.mark.slow
def test_a_small_network(tmp_path, capsys):
    small = ("--steps=2", "--batch_size=1", "--crop_size=32")
    follow("ifrnet_s", tmp_path, capsys, *small)


@pytest.mark.slow
@pytest.mark.parametrize("model", SIX)
def test_six_networks(model, tmp_path, capsys):
    follow(model, tmp_path, capsys, "--steps=20")
