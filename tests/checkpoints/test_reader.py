"""Every form of checkpoint that torch writes gives the arrays that torch sees."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.checkpoints import forging
from tfvfi import checkpoints
from tfvfi.errors import InputError

GOLDEN = Path(__file__).parent.parent / "golden" / "checkpoints"
EXPECTED = dict(np.load(GOLDEN / "expected.npz"))
WHOLE = sorted(
    path.name
    for path in GOLDEN.iterdir()
    if re.match("state|training|parallel|protocol4|expected", path.name)
)
SIX = np.arange(6, dtype="float32")


def check_equal(tensors, expected):
    for key, values in tensors.items():
        assert values.dtype == expected[key].dtype, key
        assert values.flags.c_contiguous and values.flags.writeable, key
        np.testing.assert_array_equal(values, expected[key], err_msg=key)


@pytest.mark.parametrize("file", WHOLE)
def test_every_form_gives_the_arrays_that_torch_saved(file):
    tensors = checkpoints.read(GOLDEN / file).tensors
    assert set(tensors) == set(EXPECTED) and len(tensors) == 19
    if "safetensors" not in file:
        # Safetensors sorts by type; the other forms keep the order.
        assert list(tensors) == list(EXPECTED)
    check_equal(tensors, EXPECTED)


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_what_a_training_script_saves_besides(form):
    found = checkpoints.read(GOLDEN / f"training_{form}.pth")
    assert found.extras == {"epoch": 7, "arch": "FlowNet2", "best_EPE": 1.25}


@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_two_networks_in_one_file_become_prefixes(form):
    found = checkpoints.read(GOLDEN / f"two_parts_{form}.pth")
    assert list(found.tensors) == ["state_dictFC.conv.weight", "state_dictAT.conv.bias"]
    check_equal({"conv.bias": found.tensors["state_dictAT.conv.bias"]}, EXPECTED)
    assert found.extras["epoch"] == 199


def test_written_on_a_big_endian_machine():
    tensors = checkpoints.read(GOLDEN / "big_endian_zip.pth").tensors
    assert len(tensors) == 3
    check_equal(tensors, EXPECTED)


def test_the_sha256_is_that_of_the_file():
    found = checkpoints.read(GOLDEN / "state.safetensors")
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_the_name_of_the_file_does_not_matter(tmp_path):
    path = forging.write(tmp_path / "a.tar", (GOLDEN / "state_zip.pth").read_bytes())
    check_equal(checkpoints.read(path).tensors, EXPECTED)


@pytest.mark.parametrize("form", forging.FORMS)
@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({}, SIX.reshape(2, 3)),
        ({"size": (3, 2), "stride": (1, 3)}, SIX.reshape(2, 3).T),
        ({"offset": 1, "size": (2,), "stride": (4,)}, SIX[1::4]),
        ({"offset": 5, "size": (4,), "stride": (0,)}, np.full(4, 5, "float32")),
        ({"size": (), "stride": ()}, np.float32(0)),
        ({"size": (0, 7), "stride": (7, 1), "offset": 6}, np.zeros((0, 7), "float32")),
    ],
)
def test_views_of_a_storage(tmp_path, form, view, expected):
    data = forging.FORMS[form](forging.state(a=forging.tensor(**view)), {"0": SIX.tobytes()})
    found = checkpoints.read(forging.write(tmp_path / "a.pth", data)).tensors["a"]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def test_views_in_the_older_form_have_an_offset_of_their_own(tmp_path):
    seen = forging.tensor(size=(2,), stride=(1,), view=("1", 3, 3), offset=1)
    data = forging.legacy_form(forging.state(a=seen), {"0": SIX.tobytes()})
    found = checkpoints.read(forging.write(tmp_path / "a.pth", data)).tensors["a"]
    np.testing.assert_array_equal(found, SIX[4:6])
    seen = forging.tensor(size=(2,), stride=(1,), view=("1", 4, 3), offset=1)
    data = forging.legacy_form(forging.state(a=seen), {"0": SIX.tobytes()})
    with pytest.raises(InputError, match="beyond its storage"):
        checkpoints.read(forging.write(tmp_path / "b.pth", data))


def test_tensors_that_are_not_asked_for_are_not_read(tmp_path):
    wrapped = (
        b"\x80\x02}(X\x0a\x00\x00\x00state_dict"
        + forging.state(a=forging.tensor())[2:-1]
        + b"X\x09\x00\x00\x00optimizer"
        + forging.state(b=forging.tensor(key="absent"))[2:-1]
        + b"u."
    )
    path = forging.write(tmp_path / "a.pth", forging.zip_form(wrapped, {"0": SIX.tobytes()}))
    assert list(checkpoints.read(path).tensors) == ["a"]


def test_reading_imports_no_pytorch():
    # In a process of its own: other tests may have imported what is installed.
    script = (
        "import sys; from tfvfi import checkpoints; "
        f"assert checkpoints.read({str(GOLDEN / 'state_zip.pth')!r}).tensors; "
        "assert not {'torch', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pth", None, "there is no checkpoint"),
        ("a.pth", b"", "is empty"),
        ("a.pth", b"hello" * 200, "is no checkpoint"),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(600), "is a damaged HDF5 file"),
        ("a.tar", b"a" + bytes(256) + b"ustar" + bytes(400), "is a tar archive"),
        ("a.pth", forging.zip_form(b"\x80\x02]."), "holds a list, not weights by name"),
        ("a.pth", forging.zip_form(b"\x80\x02}."), "holds no weights"),
        ("a.pkl", b"\x80\x02}.\x80\x02}.\x80\x02}.", "none that torch.save wrote"),
    ],
)
def test_what_is_no_checkpoint_is_called_by_its_name(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        checkpoints.read(path)
    assert str(path) in str(error.value)
