"""From a published file to a Keras weight file, by the library and by the command."""

import hashlib
import os

import numpy as np
import pytest

import tfvfi
from tests import commands
from tfvfi import porting, registry, weights
from tfvfi.checkpoints.layout import published_shape
from tfvfi.cli import command, convert_checkpoint
from tfvfi.errors import InputError


def published(name, seed=1, **options):
    """Arrays as the published checkpoint of a network has them."""
    model = registry.build(name, **options)
    shapes = weights.variable_shapes(model)
    chance = np.random.default_rng(seed)
    return {
        key: chance.normal(0, 0.02, published_shape(path, tuple(shapes[path]))).astype("float32")
        for key, path in porting.rules_of(name).variable_names(model.get_config()).items()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "IFRNet_S_Vimeo90K.pth"
    with open(path, "wb") as file:
        np.savez(file, **published("ifrnet_s"))
    return path


def convert(*flags):
    """The exit code of the command."""
    return commands.run(convert_checkpoint, *flags)


def test_options_go_with_the_weights(tmp_path):
    """NVIDIA's files for SlowFlow and Sintel want flow at half the size."""
    thin = {"widths": (6, 8, 10, 12, 14, 16)}
    arrays = published("superslomo", **thin)
    for name, options, scale in (
        ("unsupervised_adobe2slowflow", {}, 2),
        ("mine", {"flow_scale": 3}, 3),
    ):
        file, output = tmp_path / f"{name}.pth", tmp_path / f"{name}.weights.h5"
        with file.open("wb") as written:
            np.savez(written, **arrays)
        porting.convert("superslomo", file, output, **thin, **options)
        loaded = tfvfi.load("superslomo", weights=output)
        assert (loaded.flow_scale, loaded.widths) == (scale, thin["widths"])


def test_the_command_writes_weights_that_tell_where_they_come_from(small, tmp_path, capsys):
    output = tmp_path / "a.weights.h5"
    flags = ["--model=ifrnet_s", f"--checkpoint={small}", f"--output={output}"]
    assert convert(*flags) == command.DONE, capsys.readouterr().err
    about = weights.describe(output)
    assert about["model"] == "ifrnet_s" and about["licence"] == "MIT"
    assert about["checkpoint"] == small.name and about["trained_on"] == "Vimeo90K"
    assert "github.com/ltkong218/IFRNet" in about["origin"]
    assert about["sha256"] == hashlib.sha256(small.read_bytes()).hexdigest()
    assert os.listdir(tmp_path) == [output.name]
    kernel = tfvfi.load("ifrnet_s", weights=output).encoder.levels[0].conv0.kernel
    first = np.load(small)["encoder.pyramid1.0.0.weight"]
    np.testing.assert_array_equal(kernel, first.transpose(2, 3, 1, 0))

    assert convert(*flags) == command.FAILED
    assert "exists; choose another --output" in capsys.readouterr().err
    assert convert("--model=ifrnet_s") == command.WRONG_FLAGS


def test_weights_that_ignore_the_time_answer_the_middle_only(small, tmp_path):
    arrays = dict(np.load(small))
    for name, expected in (("looks", "any"), ("ignores", [0.5])):
        if name == "ignores":
            # The time is the last channel that goes into the coarsest decoder.
            arrays["decoder4.convblock.0.0.weight"][:, -1] = 0
        np.savez(tmp_path / f"{name}.npz", **arrays)
        output = tmp_path / f"{name}.weights.h5"
        porting.convert("ifrnet_s", tmp_path / f"{name}.npz", output)
        assert weights.describe(output)["times"] == expected
    assert tfvfi.load("ifrnet_s", weights=output).times == (0.5,)


def test_the_checkpoint_of_another_size_is_recognized(small, tmp_path):
    output = tmp_path / "a.weights.h5"
    output.write_bytes(b"old")
    with pytest.raises(InputError, match=r"\(encoder\.pyramid1.*this looks like ifrnet_s,"):
        porting.convert("ifrnet", small, output, overwrite=True)
    assert output.read_bytes() == b"old" and os.listdir(tmp_path) == [output.name]
    porting.convert("ifrnet_s", small, output, overwrite=True)
    assert weights.describe(output)["model"] == "ifrnet_s"


def test_mistakes_with_names_come_before_the_work(small, tmp_path):
    with pytest.raises(InputError, match=r"ending in \.weights\.h5"):
        porting.convert("ifrnet_s", small, tmp_path / "a.h5")
    with pytest.raises(InputError, match="there is no model 'ifrnet_x'"):
        porting.convert("ifrnet_x", small, tmp_path / "a.weights.h5")
    with pytest.raises(InputError, match="no published weights"):
        porting.convert("flow_interpolation", small, tmp_path / "a.weights.h5")
    with pytest.raises(InputError, match="there is no checkpoint"):
        porting.convert("ifrnet_s", tmp_path / "b.pth", tmp_path / "a.weights.h5")
