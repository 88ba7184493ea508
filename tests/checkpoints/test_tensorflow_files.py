"""Checkpoints of TensorFlow and SavedModels, as TensorFlow itself reads them; and hostile ones."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.checkpoints.test_mutations import damaged
from tfvfi import checkpoints
from tfvfi.errors import InputError

GOLDEN = Path(__file__).parent.parent / "golden" / "film"
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A SavedModel whose graph nobody may open, and a training checkpoint of the same weights."""
    copy = shutil.copytree(GOLDEN, tmp_path / "film")
    (copy / "saved_model" / "saved_model.pb").write_bytes(b"never opened")
    return copy


def test_variables_are_those_that_tensorflow_reads(folder):
    theirs = tf.train.load_checkpoint(str(folder / "saved_model/variables/variables"))
    ours = checkpoints.read(folder / "saved_model").tensors
    assert len(ours) == 54 and next(iter(ours)) == "feat_net/sub_extractor/cfeat_conv_0/kernel"
    # The index is sorted by names, of which these are numbers.
    for number, values in zip(sorted(map(str, range(54))), ours.values(), strict=True):
        expected = theirs.get_tensor(f"variables/{number}{VALUE}")
        if expected.ndim == 4:
            expected = expected.transpose(3, 2, 0, 1)
        np.testing.assert_array_equal(values, expected)


def test_a_training_checkpoint_gives_its_weights_alone(folder):
    model, training = (checkpoints.read(folder / name) for name in ("saved_model", "train"))
    assert sorted(training.tensors) == sorted(model.tensors)
    for name, values in training.tensors.items():
        np.testing.assert_array_equal(values, model.tensors[name])
    latest = checkpoints.read(folder / "train/ckpt-1")
    assert latest.sha256 == training.sha256 != model.sha256


def test_variables_of_other_types_and_names(tmp_path):
    values = {
        "half": tf.Variable([1.5, -2], dtype=tf.bfloat16, name="shared"),
        "double": tf.Variable([[3.0]], dtype=tf.float64, name="shared"),
        "steps": tf.Variable(7, dtype=tf.int64),
    }
    tf.train.Checkpoint(**values).write(str(tmp_path / "mixed"))
    found = checkpoints.read(tmp_path / "mixed").tensors
    # Two of one name are told apart by their places; counters are no weights.
    assert sorted(found) == ["double", "half"]
    np.testing.assert_array_equal(found["half"], np.float32([1.5, -2]))
    np.testing.assert_array_equal(found["double"], [[3.0]])
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "plain"),
        tensor_names=["layer/kernel"],
        shape_and_slices=[""],
        tensors=[tf.ones((3, 3, 2, 5))],
    )
    assert checkpoints.read(tmp_path / "plain").tensors["layer/kernel"].shape == (5, 2, 3, 3)


def _remove_data(folder: Path) -> Path:
    next((folder / "saved_model/variables").glob("*.data*")).unlink()
    return folder / "saved_model"


def _cut_data(folder: Path) -> Path:
    path = next((folder / "saved_model/variables").glob("*.data*"))
    path.write_bytes(path.read_bytes()[:20_000])
    return folder / "saved_model"


def _remove_variables(folder: Path) -> Path:
    shutil.rmtree(folder / "saved_model/variables")
    return folder / "saved_model"


def _lead_outside(folder: Path) -> Path:
    (folder / "train/checkpoint").write_text('model_checkpoint_path: "/etc/passwd"')
    (folder / "train/ckpt-1.index").rename(folder / "train/ckpt-2.index")
    (folder / "train/other.index").write_bytes(b"")
    return folder / "train"


def _empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def _no_index(folder: Path) -> Path:
    (folder / "train/ckpt-1.index").write_bytes(b"no table at all, " * 10)
    return folder / "train"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_remove_data, r"incomplete: variables.data-00000-of-00001 is missing"),
        (_cut_data, r"cut off: its data end early"),
        (_remove_variables, r"SavedModel without variables/variables.index"),
        (_lead_outside, r"holds 2 checkpoints without a record of the latest"),
        (_empty_folder, r"folder without a SavedModel or a checkpoint"),
        (_no_index, r"damaged: its index cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(prepare, said, folder):
    path = prepare(folder)
    with pytest.raises(InputError, match=said) as caught:
        checkpoints.read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_shapes_that_claim_more_than_there_is_are_refused(folder):
    index = folder / "saved_model/variables/variables.index"
    # A kernel of 3 x 3 x 2 x 2, of which one side becomes larger.
    data = index.read_bytes()
    shape = b"\x12\x02\x08\x03\x12\x02\x08\x03\x12\x02\x08\x02\x12\x02\x08\x02"
    assert shape in data
    index.write_bytes(data.replace(shape, shape[:-1] + b"\x7f", 1))
    with pytest.raises(InputError, match=r"does not have the size it claims"):
        checkpoints.read(folder / "saved_model")


def test_damaged_ones_give_a_sentence_or_what_they_hold(folder):
    paths = sorted((folder / "saved_model/variables").iterdir())
    data = {path: path.read_bytes() for path in paths}
    refused = 0
    for seed in range(300):
        chance = random.Random(seed)
        index, chosen = paths[1], paths[1 if seed % 3 else 0]
        for path in paths:
            path.write_bytes(data[path])
        chosen.write_bytes(damaged(data[chosen], chance))
        try:
            tensors = checkpoints.read(index).tensors
        except InputError as error:
            refused += 1
            assert str(index) in str(error) and str(error).isprintable(), seed
        else:
            assert all(isinstance(values, np.ndarray) for values in tensors.values()), seed
    assert 100 < refused < 300
