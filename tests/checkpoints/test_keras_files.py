"""The .h5 files of Keras 2: read by the names of their layers, and refused where they lie."""

import random
import time

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from tests.checkpoints.test_limits import refuse
from tests.checkpoints.test_mutations import damaged
from tfvfi import checkpoints
from tfvfi.errors import InputError

KERNEL = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)
# What Keras 2 calls the weights of a layer.
NAMED = {"conv2d/conv2d/kernel:0": KERNEL, "conv2d/conv2d/bias:0": np.ones(5, "float32")}


def write(path, arrays=NAMED, below="", layers=("conv2d",)):
    """A file as Keras 2 writes it; returns its path."""
    with h5py.File(path, "w") as file:
        group = file.create_group(below) if below else file
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for name, values in arrays.items():
            group[name] = values
    return path


@pytest.mark.parametrize("below", ["", "model_weights"])
def test_weights_alone_and_whole_models(tmp_path, below):
    path = write(tmp_path / "a.h5", below=below)
    if below:
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = '{"class_name": "Lambda", "config": "code"}'
            file["optimizer_weights/Adam/m:0"] = np.ones(3, "float32")
    found = checkpoints.read(path).tensors
    assert sorted(found) == ["conv2d/bias", "conv2d/kernel"]
    np.testing.assert_array_equal(found["conv2d/kernel"], KERNEL.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(found["conv2d/bias"], 1)


def test_what_keras_writes_itself(tmp_path):
    layers = [
        keras.Input((6, 6, 2)),
        keras.layers.Conv2D(3, 2, name="conv2d_7"),
        keras.layers.BatchNormalization(name="batch_normalization_1"),
        keras.layers.Flatten(),
        keras.layers.Dense(4, name="dense"),
    ]
    model = keras.Sequential(layers)
    legacy_h5_format.save_model_to_hdf5(model, str(tmp_path / "whole.h5"))
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    for name in ("whole.h5", "weights.h5"):
        found = checkpoints.read(tmp_path / name).tensors
        expected = {"/".join(one.path.split("/")[-2:]): np.asarray(one) for one in model.weights}
        assert sorted(found) == sorted(expected)
        for key, values in expected.items():
            if key.endswith("kernel"):
                values = np.moveaxis(values, (-1, -2), (0, 1))
            np.testing.assert_array_equal(found[key], values)


def test_weights_of_keras_3_need_no_conversion(tmp_path):
    path = tmp_path / "a.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save_weights(path)
    with pytest.raises(InputError, match="need no conversion, load them as they are"):
        checkpoints.read(path)


def test_other_byte_orders_and_widths(tmp_path):
    values = np.arange(5.0)
    for dtype in (">f4", "<f2", ">f8"):
        path = write(tmp_path / "a.h5", {"a/a/bias:0": values.astype(dtype)})
        (found,) = checkpoints.read(path).tensors.values()
        assert found.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(found, values)


def hostile(path, kind):
    """A file that wants more than its reader should give."""
    write(path)
    with h5py.File(path, "a") as file:
        layer = file["conv2d/conv2d"]
        match kind:
            case "external link":
                layer["other:0"] = h5py.ExternalLink("elsewhere.h5", "/secret")
            case "soft link":
                layer["other:0"] = h5py.SoftLink("/conv2d/conv2d/bias:0")
            case "external data":
                outside = [("/etc/passwd", 0, 40)]
                layer.create_dataset("other:0", (10,), "f4", external=outside)
            case "virtual data":
                layout = h5py.VirtualLayout((5,), "f4")
                layout[:] = h5py.VirtualSource("elsewhere.h5", "secret", (5,))
                layer.create_virtual_dataset("other:0", layout)
            case "huge":
                layer.create_dataset("other:0", (2**40,), "f4")
            case "huge and packed":
                layer.create_dataset("other:0", (2**33,), "f4", compression="gzip")
            case "one array many times":
                layer["long:0"] = np.ones(2**18, "float32")
                for number in range(200):
                    file[f"layer{number}/layer{number}/bias:0"] = layer["long:0"]
            case "a group in itself":
                loop = file.create_group("loop")
                loop["loop"] = loop
            case "text":
                layer["other:0"] = "text"
            case "whole numbers":
                layer["other:0"] = np.ones(3, "int64")
            case "twice":
                file["copy/conv2d/bias:0"] = np.ones(5, "float32")
    return path


HOSTILE = {
    "external link": "is a link to elsewhere",
    "soft link": "is a link to elsewhere",
    "external data": "is kept outside the file",
    "virtual data": "is kept outside the file",
    "huge": "does not fit",
    "huge and packed": "in chunks",
    "one array many times": "claims tensors far larger than itself",
    "a group in itself": "nests its weights far deeper",
    "text": "of a type that is not supported",
    "whole numbers": "of a type that is not supported",
    "twice": "twice",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_files_that_lie_are_refused_before_anything_is_read(tmp_path, kind):
    seconds, peak = refuse(hostile(tmp_path / "a.h5", kind), HOSTILE[kind])
    assert seconds < 2 and peak < 2**27


def test_damaged_files_give_one_sentence_or_arrays(tmp_path):
    chance = random.Random(4)
    whole = write(tmp_path / "whole.h5").read_bytes()
    refused, path = 0, tmp_path / "a.h5"
    started = time.perf_counter()
    for _ in range(300):
        path.write_bytes(damaged(whole, chance))
        try:
            for values in checkpoints.read(path).tensors.values():
                assert values.nbytes <= 8 * len(whole) + 2**26
        except InputError as error:
            refused += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert 50 < refused < 300
    assert time.perf_counter() - started < 30
